import { ref } from 'vue'

const storageKey = 'gongshao.seen-events'
const most = 2_000

function read(): string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(storageKey) ?? '[]')
    return Array.isArray(stored) ? stored.filter((id): id is string => typeof id === 'string') : []
  } catch {
    return []
  }
}

const seen = ref(new Set(read()))

/** Which events were opened in this browser; the newest `most` are remembered. */
export function useSeen() {
  function markSeen(id: string): void {
    if (seen.value.has(id)) return
    const kept = [...seen.value, id].slice(-most)
    seen.value = new Set(kept)
    localStorage.setItem(storageKey, JSON.stringify(kept))
  }
  return { isSeen: (id: string) => seen.value.has(id), markSeen }
}
