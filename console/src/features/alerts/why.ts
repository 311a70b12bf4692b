import type { EventDetail } from '@/api/types'

/** A sentence to translate: key under `alerts.why` and its values. */
export interface Sentence {
  key: string
  values: Record<string, string | number>
}

/** A measured value: its name is a key under `alerts.measure` when the console knows it. */
export interface Measured {
  name: string
  value: string
  limit: string | null
  label: string | null
}

const shares = new Set(['share_under_water', 'changed', 'masked', 'area', 'above_line', 'vehicle_class'])

/** What was measured beside the votes, as people read it: shares in per cent. */
export function measured(why: EventDetail['why']): Measured[] {
  return why.measures.map(({ name, value, limit, label }) => {
    const show = (number: number) => (shares.has(name) ? `${whole(number * 100)}%` : String(tenth(number)))
    return { name, value: show(value), limit: limit === null ? null : show(limit), label }
  })
}

const whole = (value: number) => Math.round(value)
const tenth = (value: number) => Math.round(value * 10) / 10

/** Explains an event from the counts that made the decision, in the order a person would ask. */
export function explain(event: Pick<EventDetail, 'algorithm' | 'why' | 'zone' | 'score'>): Sentence[] {
  const { why } = event
  const sentences: Sentence[] = []
  if (event.zone) sentences.push({ key: 'zone', values: { zone: event.zone } })
  if (why.people_needed > 0) sentences.push({ key: 'people', values: { people: why.people, needed: why.people_needed } })
  if (why.votes_window > 0) {
    const key = event.algorithm === 'no_helmet' ? 'votesHelmet' : 'votes'
    sentences.push({
      key,
      values: { votes: why.votes_for, cast: why.votes_for + why.votes_against, needed: why.votes_needed, window: why.votes_window },
    })
  }
  sentences.push({ key: 'lasted', values: { lasted: tenth(why.lasted_secs), dwell: tenth(why.dwell_secs) } })
  sentences.push({ key: 'score', values: { score: whole(event.score * 100) } })
  return sentences
}
