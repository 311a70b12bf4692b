import { expect, it } from 'vitest'
import { turnAt } from './rotation'

it('shows each in turn, beginning with the newest', () => {
  expect([0, 7_999, 8_000, 16_000, 24_000].map((ms) => turnAt(ms, 0, 3))).toEqual([0, 0, 1, 2, 0])
  expect(turnAt(90_000, 89_000, 3)).toBe(0)
  expect(turnAt(0, 50_000, 3)).toBe(0)
  expect(turnAt(8_000, 0, 0)).toBe(0)
})
