import { expect, it } from 'vitest'
import { offsetOf, swiped } from './swipe'

it.each([
  [120, 10, 'right'],
  [-120, -10, 'left'],
  [60, 0, null],
  [120, 90, null],
  [0, 300, null],
] as const)('%d across and %d down is %s', (dx, dy, expected) => {
  expect(swiped(dx, dy)).toBe(expected)
})

it('leaves scrolling alone and does not follow past the end', () => {
  expect([offsetOf(8, 0), offsetOf(40, 80), offsetOf(40, 3), offsetOf(-400, 3)]).toEqual([0, 0, 40, -160])
})
