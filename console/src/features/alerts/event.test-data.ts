import type { EventSummary } from '@/api/types'

/** An alert for unit tests. */
export function event(id: string, decided_at: number, part: Partial<EventSummary> = {}): EventSummary {
  return {
    id,
    algorithm: 'no_helmet',
    camera_id: 'c1',
    camera_name: 'gate',
    site_id: 's',
    site_name: 'site',
    severity: 'orange',
    state: 'pending',
    phase: 'new',
    zone: null,
    started_at: decided_at,
    decided_at,
    ended_at: null,
    received_at: decided_at,
    score: 0.8,
    revision: 1,
    version: 1,
    snapshot: null,
    clip: null,
    number: id,
    group_id: id,
    group_count: 1,
    note_count: 0,
    overdue_level: 0,
    light: null,
    appeal: null,
    assignee_id: null,
    assignee_name: null,
    due_at: null,
    ...part,
  }
}
