import { expect, it } from 'vitest'
import { explain, measured } from './why'

const why = { votes_for: 4, votes_against: 1, votes_needed: 3, votes_window: 5, lasted_secs: 2.44, dwell_secs: 2, people: 0, people_needed: 0, measures: [] }

it('explains a missing helmet by votes, time and score', () => {
  const sentences = explain({ algorithm: 'no_helmet', why, zone: null, score: 0.814 })
  expect(sentences.map((sentence) => sentence.key)).toEqual(['votesHelmet', 'lasted', 'score'])
  expect(sentences[0]?.values).toEqual({ votes: 4, cast: 5, needed: 3, window: 5 })
  expect(sentences[1]?.values).toEqual({ lasted: 2.4, dwell: 2 })
  expect(sentences[2]?.values).toEqual({ score: 81 })
})

it('explains a crowd by its people and its zone first', () => {
  const sentences = explain({ algorithm: 'crowd', why: { ...why, people: 6, people_needed: 4 }, zone: '通道', score: 0.9 })
  expect(sentences.slice(0, 2).map((sentence) => sentence.key)).toEqual(['zone', 'people'])
})

it('shows measured shares in per cent, with their limit', () => {
  const measures = [
    { name: 'share_under_water', value: 0.314, limit: 0.1, label: null },
    { name: 'vehicle_class', value: 0.8, limit: null, label: 'dump_truck' },
    { name: 'layers', value: 5, limit: 4, label: null },
  ]
  expect(measured({ ...why, measures })).toEqual([
    { name: 'share_under_water', value: '31%', limit: '10%', label: null },
    { name: 'vehicle_class', value: '80%', limit: null, label: 'dump_truck' },
    { name: 'layers', value: '5', limit: '4', label: null },
  ])
})
