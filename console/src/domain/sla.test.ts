import { expect, it } from 'vitest'
import { lightOf } from './sla'

const minute = 60_000
it.each([
  ['fresh', { state: 'pending', severity: 'red', decided_at: 0, due_at: null }, 22, 'green'],
  ['less than a quarter of its term left', { state: 'pending', severity: 'red', decided_at: 0, due_at: null }, 23, 'yellow'],
  ['late', { state: 'pending', severity: 'red', decided_at: 0, due_at: null }, 30, 'red'],
  ['a lower grade has longer', { state: 'pending', severity: 'yellow', decided_at: 0, due_at: null }, 300, 'green'],
  ['a due time counts before the term', { state: 'dispatched', severity: 'yellow', decided_at: 0, due_at: 20 * minute * 1_000 }, 21, 'red'],
  ['no due time known past triage', { state: 'confirmed', severity: 'red', decided_at: 0, due_at: null }, 600, null],
  ['handled', { state: 'closed', severity: 'red', decided_at: 0, due_at: null }, 600, null],
] as const)('%s', (_, event, minutes, light) => {
  expect(lightOf(event, minutes * minute)).toBe(light)
})
