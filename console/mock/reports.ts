/** The mock's reports, counted anew for each request. */
import type { Precision, PrecisionReport, Statistics, StatisticsBy, Took } from '../src/api/reports'
import type { EventDetail } from '../src/api/types'

const isTrue = new Set(['confirmed', 'dispatched', 'in_progress', 'in_review', 'closed'])
const dayOf = (micros: number) => new Date(micros / 1_000 + 8 * 3_600_000).toISOString().slice(0, 10)

/** The 95 % Wilson interval of `hits` out of `n`. */
function wilson(hits: number, n: number): [number, number] {
  const z = 1.959964
  const p = hits / n
  const middle = (p + (z * z) / (2 * n)) / (1 + (z * z) / n)
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n))
  return [Math.max(0, middle - half), Math.min(1, middle + half)]
}

function precisionOf(events: readonly EventDetail[]): Precision {
  const count = (test: (event: EventDetail) => boolean) => events.filter(test).length
  const confirmed = count((event) => isTrue.has(event.state))
  const false_alarms = count((event) => event.state === 'false_alarm')
  const judged = confirmed + false_alarms
  const [low, high] = judged > 0 ? wilson(confirmed, judged) : [null, null]
  return {
    raised: events.length,
    pending: count((event) => event.state === 'pending'),
    confirmed,
    false_alarms,
    false_by_reason: {},
    duplicates: count((event) => event.state === 'duplicate'),
    ignored: count((event) => event.state === 'ignored'),
    true_rate: judged > 0 ? confirmed / judged : null,
    true_rate_low: low,
    true_rate_high: high,
  }
}

function groups(events: readonly EventDetail[], key: (event: EventDetail) => string): [string, EventDetail[]][] {
  const found = new Map<string, EventDetail[]>()
  for (const event of events) found.set(key(event), [...(found.get(key(event)) ?? []), event])
  return [...found]
}

function took(secs: number[]): Took {
  const sorted = secs.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null
  return { events: sorted.length, median_secs: at(0.5), p90_secs: at(0.9) }
}

/** The events a report covers. */
export function covered(events: readonly EventDetail[], query: URLSearchParams): EventDetail[] {
  const from = dayOf(Number(query.get('from') ?? 0))
  const to = dayOf(Number(query.get('to') ?? Date.now() * 1_000))
  const is = (key: string, value: string) => !query.get(key) || query.get(key) === value
  return events.filter(
    (event) => dayOf(event.decided_at) >= from && dayOf(event.decided_at) <= to && is('site_id', event.site_id) && is('camera_id', event.camera_id) && is('algorithm', event.algorithm),
  )
}

const days = (query: URLSearchParams) => ({
  from_day: dayOf(Number(query.get('from') ?? (Date.now() - 30 * 86_400_000) * 1_000)),
  to_day: dayOf(Number(query.get('to') ?? Date.now() * 1_000)),
})

export function precision(all: readonly EventDetail[], query: URLSearchParams): PrecisionReport {
  const events = covered(all, query)
  return {
    ...days(query),
    items: groups(events, (event) => `${event.algorithm} ${event.camera_id}`).map(([, group]) => ({
      algorithm: group[0]?.algorithm ?? '',
      camera_id: group[0]?.camera_id ?? '',
      camera_name: group[0]?.camera_name ?? '',
      model_name: 'site-ppe',
      model_version: '0.1.0',
      ...precisionOf(group),
    })),
    by_algorithm: groups(events, (event) => event.algorithm).map(([algorithm, group]) => ({ algorithm, ...precisionOf(group) })),
    total: precisionOf(events),
  }
}

export function statistics(all: readonly EventDetail[], query: URLSearchParams, onlineRate: number): Statistics {
  const events = covered(all, query)
  const by = (query.get('by') ?? 'day') as StatisticsBy
  const key = (event: EventDetail) =>
    ({ day: dayOf(event.decided_at), site: event.site_id, camera: event.camera_id, algorithm: event.algorithm, severity: event.severity })[by]
  const name = (event: EventDetail | undefined) => (by === 'site' ? event?.site_name : by === 'camera' ? event?.camera_name : '') ?? ''
  const first = events.flatMap((event) => (event.history[0] ? [(event.history[0].at - event.received_at) / 1e6] : []))
  const closed = events.flatMap((event) => event.history.filter((entry) => entry.to_state === 'closed').map((entry) => (entry.at - event.received_at) / 1e6))
  return {
    ...days(query),
    items: groups(events, key).map(([group, members]) => ({
      key: group,
      name: name(members[0]),
      by_state: Object.fromEntries(groups(members, (event) => event.state).map(([state, of]) => [state, of.length])),
      ...precisionOf(members),
    })),
    total: precisionOf(events),
    respond: took(first),
    close: took(closed),
    online_rate: onlineRate,
  }
}
