import type { EventState, EventSummary, Severity } from '@/api/types'

/** Terms 办理时限 in minutes, by state and severity, as the server has them; states without one wait for nobody. */
const terms: Partial<Record<EventState, Record<Severity, number>>> = {
  pending: { red: 30, orange: 120, yellow: 480 },
  confirmed: { red: 120, orange: 480, yellow: 1_440 },
  dispatched: { red: 1_440, orange: 4_320, yellow: 10_080 },
  in_progress: { red: 1_440, orange: 4_320, yellow: 10_080 },
  in_review: { red: 1_440, orange: 2_880, yellow: 4_320 },
}

export type Light = 'green' | 'yellow' | 'red'

/**
 * The light of an alert that waits for its next step: yellow when less than a quarter of the term is left, red when it
 * is over. Where the server names no due time, a pending alert is due its term after it was decided.
 */
export function lightOf(event: Pick<EventSummary, 'state' | 'severity' | 'decided_at' | 'due_at'>, nowMs: number): Light | null {
  const minutes = terms[event.state]?.[event.severity]
  if (minutes === undefined) return null
  const term = minutes * 60_000
  const due = event.due_at ? event.due_at / 1_000 : event.state === 'pending' ? event.decided_at / 1_000 + term : null
  if (due === null) return null
  if (nowMs >= due) return 'red'
  return due - nowMs < term / 4 ? 'yellow' : 'green'
}
