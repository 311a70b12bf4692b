import { ref } from 'vue'
import { readFilter, writeFilter, type AlertFilter } from './filter'

/** A filter under a name, as it stands in the address. */
export interface SavedView {
  name: string
  address: string
}

const storageKey = 'gongshao.alert-views'
const most = 20

export function addressOf(filter: AlertFilter): string {
  const parts = Object.entries(writeFilter(filter)).filter((part): part is [string, string] => typeof part[1] === 'string')
  return new URLSearchParams(parts).toString()
}

export const filterOf = (view: SavedView): AlertFilter => readFilter(Object.fromEntries(new URLSearchParams(view.address)))

/** Reads what was stored, leaving out what is not a view. */
export function parseViews(text: string | null): SavedView[] {
  try {
    const stored: unknown = JSON.parse(text ?? '[]')
    if (!Array.isArray(stored)) return []
    return stored
      .filter((view): view is SavedView => typeof view?.name === 'string' && view.name !== '' && typeof view.address === 'string')
      .map(({ name, address }) => ({ name, address }))
      .slice(0, most)
  } catch {
    return []
  }
}

/** Adds a view, or replaces the one of that name. */
export function withView(views: readonly SavedView[], name: string, filter: AlertFilter): SavedView[] {
  const view = { name: name.trim().slice(0, 40), address: addressOf(filter) }
  const at = views.findIndex((known) => known.name === view.name)
  return at >= 0 ? views.with(at, view) : [...views, view].slice(-most)
}

/** The views of this browser. */
export function useViews() {
  const views = ref(parseViews(localStorage.getItem(storageKey)))
  function store(next: SavedView[]) {
    views.value = next
    localStorage.setItem(storageKey, JSON.stringify(next))
  }
  return {
    views,
    save: (name: string, filter: AlertFilter) => store(withView(views.value, name, filter)),
    remove: (name: string) => store(views.value.filter((view) => view.name !== name)),
  }
}
