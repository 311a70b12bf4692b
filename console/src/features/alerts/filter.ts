import type { LocationQuery, LocationQueryRaw } from 'vue-router'
import type { AlgorithmId, EventQuery, EventState, EventSummary, Severity } from '@/api/types'

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

/** When alerts were decided. Spans that end now move on with the clock. */
export type TimeRange = { kind: 'today' } | { kind: 'last'; hours: number } | { kind: 'between'; from: number; to: number }

/** What the queue is narrowed to; an empty list narrows nothing. `from` and `to` are in milliseconds. */
export interface AlertFilter {
  states: EventState[]
  severities: Severity[]
  algorithms: AlgorithmId[]
  site?: string
  camera?: string
  time?: TimeRange
  text?: string
}

/** What a supervisor starts with: what waits to be handled. */
export const waiting: AlertFilter = { states: ['pending'], severities: [], algorithms: [] }

const one = (value: LocationQuery[string] | undefined) => (typeof value === 'string' && value !== '' ? value : undefined)
const some = (value: LocationQuery[string] | undefined) => one(value)?.split(',').filter(Boolean) ?? []

function readTime(text: string | undefined): TimeRange | undefined {
  if (text === 'today') return { kind: 'today' }
  const last = /^(\d{1,4})h$/.exec(text ?? '')
  if (last) return { kind: 'last', hours: Number(last[1]) }
  const between = /^(\d{1,11})-(\d{1,11})$/.exec(text ?? '')
  return between ? { kind: 'between', from: Number(between[1]) * 1_000, to: Number(between[2]) * 1_000 } : undefined
}

export function writeTime(time: TimeRange | undefined): string | undefined {
  if (!time) return undefined
  if (time.kind === 'today') return 'today'
  return time.kind === 'last' ? `${time.hours}h` : `${Math.floor(time.from / 1_000)}-${Math.floor(time.to / 1_000)}`
}

/** Reads the filter out of the address; without a word about state it is what waits to be handled. */
export function readFilter(query: LocationQuery): AlertFilter {
  const asked = some(query.state)
  return {
    states: asked.length === 0 ? [...waiting.states] : states.filter((state) => asked.includes(state)),
    severities: severities.filter((severity) => some(query.severity).includes(severity)),
    algorithms: some(query.algorithm) as AlgorithmId[],
    site: one(query.site),
    camera: one(query.camera),
    time: readTime(one(query.time)),
    text: one(query.q)?.slice(0, 100),
  }
}

const list = (values: readonly string[]) => (values.length > 0 ? values.join(',') : undefined)
const isWaiting = (filter: AlertFilter) => filter.states.length === 1 && filter.states[0] === 'pending'

/** Writes the filter into the address; `all` stands for every state. */
export function writeFilter(filter: AlertFilter): LocationQueryRaw {
  return {
    state: isWaiting(filter) ? undefined : (list(filter.states) ?? 'all'),
    severity: list(filter.severities),
    algorithm: list(filter.algorithms),
    site: filter.site,
    camera: filter.camera,
    time: writeTime(filter.time),
    q: filter.text?.trim() || undefined,
  }
}

/** Whether anything but the state narrows the queue. */
export const isNarrowed = (filter: AlertFilter) =>
  filter.severities.length > 0 || filter.algorithms.length > 0 || Boolean(filter.site ?? filter.camera ?? filter.time ?? filter.text)

/** Whether it is the plain queue of what waits. */
export const isPlain = (filter: AlertFilter) => isWaiting(filter) && !isNarrowed(filter)

/** First and last moment of a range, in milliseconds; no end when it moves on with the clock. */
export function bounds(time: TimeRange, nowMs: number): { from: number; to: number | null } {
  if (time.kind === 'between') return { from: time.from, to: time.to }
  if (time.kind === 'last') return { from: nowMs - time.hours * 3_600_000, to: null }
  return { from: new Date(nowMs).setHours(0, 0, 0, 0), to: null }
}

/** The filter in the words of the API. */
export function queryOf(filter: AlertFilter, nowMs: number): EventQuery {
  const span = filter.time ? bounds(filter.time, nowMs) : null
  return {
    states: list(filter.states),
    severities: list(filter.severities),
    algorithms: list(filter.algorithms),
    site_id: filter.site,
    camera_id: filter.camera,
    from: span ? span.from * 1_000 : undefined,
    to: span?.to ? span.to * 1_000 : undefined,
    q: filter.text?.trim() || undefined,
  }
}

/**
 * Whether the queue shows an event that has just arrived. Free text is the server's to search: here only what lists
 * show is looked at, so that a doubtful arrival waits for the next fetch.
 */
export function matches(filter: AlertFilter, event: EventSummary, nowMs: number): boolean {
  const span = filter.time ? bounds(filter.time, nowMs) : null
  const text = filter.text?.trim().toLowerCase()
  return (
    (filter.states.length === 0 || filter.states.includes(event.state)) &&
    (filter.severities.length === 0 || filter.severities.includes(event.severity)) &&
    (filter.algorithms.length === 0 || filter.algorithms.includes(event.algorithm)) &&
    (!filter.site || filter.site === event.site_id) &&
    (!filter.camera || filter.camera === event.camera_id) &&
    (!span || (event.decided_at >= span.from * 1_000 && (span.to === null || event.decided_at < span.to * 1_000))) &&
    (!text || [event.camera_name, event.site_name, event.zone ?? ''].some((field) => field.toLowerCase().includes(text)))
  )
}
