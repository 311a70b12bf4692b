import type { EventSummary } from '@/api/types'

/** A row of the queue: an alert, with those of the same subject folded under the newest. */
export interface Row {
  event: EventSummary
  /** How many alerts the group has, 1 for one alone. */
  size: number
  /** The group's newest alert, by which it is folded and unfolded. */
  head: string
  /** Whether this row stands under an unfolded head. */
  inner: boolean
}

/** Folds alerts that the server has put into one group. Rows come newest first; a group stands where its newest alert stands. */
export function fold(events: readonly EventSummary[], unfolded: ReadonlySet<string>): Row[] {
  const groups = new Map<string, EventSummary[]>()
  for (const event of events) {
    const group = groups.get(event.group_id)
    if (group) group.push(event)
    else groups.set(event.group_id, [event])
  }
  return [...groups.values()].flatMap((group) => {
    const head = group[0]?.id ?? ''
    const shown = unfolded.has(head) ? group : group.slice(0, 1)
    return shown.map((event, i) => ({ event, size: group.length, head, inner: i > 0 }))
  })
}

/** The same rows without folding. */
export const flat = (events: readonly EventSummary[]): Row[] => events.map((event) => ({ event, size: 1, head: event.id, inner: false }))
