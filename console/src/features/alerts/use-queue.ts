import { useInfiniteQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, onScopeDispose, ref, watch, type Ref } from 'vue'
import { eventKeys, events } from '@/api/events'
import type { EventFilter, EventSummary } from '@/api/types'
import { useLink } from '@/stores/link'
import { flatten, hold, insert, matches, patch, type Pages } from './queue'

const pageSize = 40

/** The queue of one filter: pages by cursor, changes merged in live. */
export function useQueue(filter: Ref<EventFilter>) {
  const client = useQueryClient()
  const link = useLink()
  const key = computed(() => eventKeys.list(filter.value))
  const query = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => events.list(filter.value, pageParam, pageSize, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  })
  const rows = computed(() => flatten(query.data.value as Pages | undefined))

  /** Arrivals that would move what is being read. */
  const waiting = ref<EventSummary[]>([])
  /** Whether an arrival may be put in at once; the page says so. */
  const mayMove = ref(true)

  function update(change: (data: Pages) => Pages): void {
    client.setQueryData<Pages>(key.value, (data) => (data ? change(data) : data))
  }

  /** Takes a newer form of an event, wherever it comes from. */
  function receive(event: EventSummary): void {
    const data = client.getQueryData<Pages>(key.value)
    if (!data) return
    const patched = patch(data, event)
    if (patched) {
      update(() => patched)
    } else if (matches(filter.value, event)) {
      if (mayMove.value) update((pages) => insert(pages, event))
      else waiting.value = hold(waiting.value, event)
    } else {
      waiting.value = waiting.value.filter((held) => held.id !== event.id)
    }
  }

  function showWaiting(): void {
    const arrived = waiting.value
    waiting.value = []
    update((data) => arrived.reduce((pages, event) => patch(pages, event) ?? insert(pages, event), data))
  }

  watch(key, () => (waiting.value = []))
  watch(
    () => query.dataUpdatedAt.value,
    () => {
      // A fetch may have brought what was waiting.
      const known = new Set(rows.value.map((event) => event.id))
      if (waiting.value.some((event) => known.has(event.id))) {
        waiting.value = waiting.value.filter((event) => !known.has(event.id))
      }
    },
  )
  onScopeDispose(link.onEvent(receive))

  return { query, rows, waiting, mayMove, receive, showWaiting }
}
