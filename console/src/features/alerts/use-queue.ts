import { useInfiniteQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, onScopeDispose, shallowRef, watch, type Ref } from 'vue'
import { eventKeys, events } from '@/api/events'
import type { EventSummary } from '@/api/types'
import { useLink } from '@/stores/link'
import { matches, queryOf, type AlertFilter } from './filter'
import { advance, flatten, insert, partition, patch, type Pages } from './queue'

/** Large enough that a long list is had in few requests, as large as the server gives. */
const pageSize = 200

/** Changes that arrive during a fetch, at most; beyond it the oldest is dropped and comes with the next fetch. */
const mostInFetch = 200

/**
 * The queue of one filter: pages by cursor, changes merged in live. `mayMove` is asked whenever rows arrive: while it
 * says no, rows newer than the newest shown one wait, by whatever way they came.
 */
export function useQueue(filter: Ref<AlertFilter>, mayMove: () => boolean) {
  const client = useQueryClient()
  const link = useLink()
  const key = computed(() => eventKeys.list(filter.value))
  const query = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => events.list(queryOf(filter.value, Date.now()), pageParam, pageSize, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    // Ten thousand rows are cheap as long as nobody watches each of their fields.
    shallow: true,
  })
  const known = computed(() => flatten(query.data.value as Pages | undefined))

  const frontier = shallowRef<EventSummary | null>(null)
  const parts = computed(() => partition(known.value, frontier.value))
  const rows = computed(() => parts.value.shown)
  const waiting = computed(() => parts.value.waiting)

  // Another filter is another list, of which nothing has been read.
  watch(key, () => (frontier.value = null), { flush: 'sync' })
  // Before anything is drawn, so that a row which must wait is never seen.
  watch(known, (all) => (frontier.value = advance(all, frontier.value, mayMove())), { flush: 'sync', immediate: true })

  /** What came while a fetch was under way: its answer may be older than that. */
  let inFetch: EventSummary[] = []

  function put(event: EventSummary): void {
    client.setQueryData<Pages>(key.value, (data) => {
      if (!data) return data
      return patch(data, event) ?? (matches(filter.value, event, Date.now()) ? insert(data, event) : data)
    })
  }

  /** Takes a newer form of an event, wherever it comes from. */
  function receive(event: EventSummary): void {
    if (query.isFetching.value) inFetch = [...inFetch, event].slice(-mostInFetch)
    put(event)
  }

  watch(query.isFetching, (fetching) => {
    if (fetching) return
    const late = inFetch
    inFetch = []
    late.forEach(put)
  })
  onScopeDispose(link.onEvent(receive))

  function showWaiting(): void {
    frontier.value = advance(known.value, frontier.value, true)
  }

  return { query, rows, waiting, receive, showWaiting }
}
