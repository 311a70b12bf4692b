import { expect, it } from 'vitest'
import { event } from './event.test-data'
import { flat, fold } from './groups'

const minute = 60e6
const rows = [
  event('e', 30 * minute, { group_id: 'b' }),
  event('d', 25 * minute, { camera_id: 'c2' }),
  event('c', 22 * minute, { group_id: 'b' }),
  event('b', 13 * minute),
  event('a', 1 * minute),
]
const shape = (folded: ReturnType<typeof fold>) => folded.map((row) => `${row.inner ? '-' : ''}${row.event.id}${row.size}`)

it('folds alerts of one group under its newest', () => {
  expect(shape(fold(rows, new Set()))).toEqual(['e3', 'd1', 'a1'])
})

it('unfolds a group in its place', () => {
  expect(shape(fold(rows, new Set(['e'])))).toEqual(['e3', '-c3', '-b3', 'd1', 'a1'])
})

it('leaves everything as it is when folding is off', () => {
  expect(shape(flat(rows))).toEqual(['e1', 'd1', 'c1', 'b1', 'a1'])
})
