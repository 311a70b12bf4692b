import type { EventSummary, Severity } from '@/api/types'

/** How long an alert may wait for its first handling, in minutes; the stricter the graver. */
export const responseMinutes: Record<Severity, number> = { red: 10, orange: 30, yellow: 120 }

export type Light = 'green' | 'yellow' | 'red'

/**
 * The light of an alert that waits: green, yellow from half of its time on, red when the time is over. A due time that
 * was set counts before the one by severity. What is handled has none.
 */
export function lightOf(event: Pick<EventSummary, 'state' | 'severity' | 'decided_at'> & { due_at?: number | null }, nowMs: number): Light | null {
  const isOpen = event.state === 'pending' || (event.due_at && ['confirmed', 'dispatched', 'in_progress', 'in_review'].includes(event.state))
  if (!isOpen) return null
  const from = event.decided_at / 1_000
  const due = event.due_at ? event.due_at / 1_000 : from + responseMinutes[event.severity] * 60_000
  if (nowMs >= due) return 'red'
  return nowMs >= from + (due - from) / 2 ? 'yellow' : 'green'
}
