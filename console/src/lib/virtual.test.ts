import { expect, it } from 'vitest'
import { scrollTo, windowOf } from './virtual'

it('draws what is in view and a few rows beyond, whatever the length of the list', () => {
  expect(windowOf(0, 900, 36, 10_000)).toEqual({ start: 0, end: 33 })
  const middle = windowOf(180_000, 900, 36, 10_000)
  expect(middle.start * 36).toBeLessThan(180_000)
  expect(middle.end * 36).toBeGreaterThan(180_900)
  expect(middle.end - middle.start).toBeLessThan(60)
  expect(windowOf(360_000, 900, 36, 10_000).end).toBe(10_000)
})

it('stands a shrunken or empty list', () => {
  expect(windowOf(50_000, 900, 36, 10)).toEqual({ start: 10, end: 10 })
  expect(windowOf(-20, 900, 36, 0)).toEqual({ start: 0, end: 0 })
})

it('moves no more than needed to show a row', () => {
  expect([scrollTo(10, 0, 900, 36), scrollTo(2, 360, 900, 36), scrollTo(40, 0, 900, 36)]).toEqual([0, 72, 576])
})
