import type { LocationQuery, LocationQueryRaw } from 'vue-router'
import type { AlgorithmId, EventFilter, EventState, Severity } from '@/api/types'

export const states: readonly EventState[] = [
  'pending',
  'confirmed',
  'dispatched',
  'in_progress',
  'in_review',
  'closed',
  'false_alarm',
  'duplicate',
  'ignored',
]
export const severities: readonly Severity[] = ['red', 'orange', 'yellow']

const one = (value: LocationQuery[string] | undefined) => (typeof value === 'string' && value !== '' ? value : undefined)

/** Reads the filter out of the address; without a word about state it is what waits to be handled. */
export function readFilter(query: LocationQuery): EventFilter {
  const state = one(query.state) ?? 'pending'
  return {
    state: states.find((known) => known === state),
    algorithm: one(query.algorithm) as AlgorithmId | undefined,
    camera_id: one(query.camera),
    severity: severities.find((known) => known === one(query.severity)),
  }
}

/** Writes the filter into the address; `all` stands for every state. */
export function writeFilter(filter: EventFilter): LocationQueryRaw {
  return {
    state: filter.state === 'pending' ? undefined : (filter.state ?? 'all'),
    algorithm: filter.algorithm,
    camera: filter.camera_id,
    severity: filter.severity,
  }
}
