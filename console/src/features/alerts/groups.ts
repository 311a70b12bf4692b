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

/** Two alerts of one place and kind within this time are taken for the same subject. */
const sameSubjectMicros = 10 * 60e6

const subject = (event: EventSummary) => event.group_id ?? `${event.camera_id}/${event.algorithm}/${event.zone ?? ''}`

/**
 * Folds alerts of the same subject: those the server has put into one group, or, where it does not say, the same
 * algorithm, camera and zone, each within ten minutes of the next. Rows come
 * newest first; a group stands where its newest alert stands.
 */
export function fold(events: readonly EventSummary[], unfolded: ReadonlySet<string>): Row[] {
  const groups: EventSummary[][] = []
  const open = new Map<string, EventSummary[]>()
  for (const event of events) {
    const key = subject(event)
    const group = open.get(key)
    const last = group?.at(-1)
    if (group && last && (event.group_id !== undefined || last.decided_at - event.decided_at <= sameSubjectMicros)) {
      group.push(event)
    } else {
      const begun = [event]
      open.set(key, begun)
      groups.push(begun)
    }
  }
  return groups.flatMap((group) => {
    const head = group[0]?.id ?? ''
    const shown = unfolded.has(head) ? group : group.slice(0, 1)
    return shown.map((event, i) => ({ event, size: group.length, head, inner: i > 0 }))
  })
}

/** The same rows without folding. */
export const flat = (events: readonly EventSummary[]): Row[] => events.map((event) => ({ event, size: 1, head: event.id, inner: false }))
