import { expect, it } from 'vitest'
import { jumpTo, trimRange } from './live-edge'

it.each([
  ['nothing is buffered', 0, [], null],
  ['close to the edge', 9.2, [{ start: 5, end: 10 }], null],
  ['fallen behind', 8.4, [{ start: 5, end: 10 }], 9.5],
  ['before the first data', 0, [{ start: 100, end: 100.8 }], 100.3],
  ['in a hole', 5.5, [{ start: 4, end: 5 }, { start: 5.8, end: 6.2 }], 5.8],
  ['waiting at the very end', 10.05, [{ start: 5, end: 10 }], null],
])('%s', (_, current, buffered, expected) => {
  const target = jumpTo(current, buffered)
  if (expected === null) expect(target).toBeNull()
  else expect(target).toBeCloseTo(expected)
})

it('keeps the buffer short', () => {
  expect(trimRange(25, [{ start: 10, end: 26 }])).toBeNull()
  expect(trimRange(31, [{ start: 10, end: 32 }])).toEqual({ start: 10, end: 21 })
})
