import { expect, it } from 'vitest'
import { lightOf } from './sla'

const minute = 60_000
it.each([
  ['fresh', { state: 'pending', severity: 'red', decided_at: 0 }, 4, 'green'],
  ['half of its time has gone', { state: 'pending', severity: 'red', decided_at: 0 }, 5, 'yellow'],
  ['late', { state: 'pending', severity: 'red', decided_at: 0 }, 10, 'red'],
  ['a lower grade has longer', { state: 'pending', severity: 'yellow', decided_at: 0 }, 59, 'green'],
  ['a due time counts before the grade', { state: 'dispatched', severity: 'yellow', decided_at: 0, due_at: 20 * minute * 1_000 }, 21, 'red'],
  ['handled', { state: 'confirmed', severity: 'red', decided_at: 0 }, 600, null],
] as const)('%s', (_, event, minutes, light) => {
  expect(lightOf(event, minutes * minute)).toBe(light)
})
