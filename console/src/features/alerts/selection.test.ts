import { expect, it } from 'vitest'
import { extend, keep, nothing, toggle, toggleAll } from './selection'

const rows = ['a', 'b', 'c', 'd', 'e']
const ids = (selection: { ids: ReadonlySet<string> }) => [...selection.ids].sort().join('')

it('marks one by one, and a range from the last one marked, in either direction', () => {
  const b = toggle(nothing, 'b')
  expect(ids(extend(b, rows, 'd'))).toBe('bcd')
  expect(ids(extend(b, rows, 'a'))).toBe('ab')
  expect(ids(extend(extend(b, rows, 'd'), rows, 'a'))).toBe('abcd')
  expect(ids(toggle(b, 'b'))).toBe('')
  expect(ids(extend(nothing, rows, 'c'))).toBe('c')
  expect(extend(b, rows, 'x')).toBe(b)
})

it('marks all and none, and forgets what has gone', () => {
  expect(ids(toggleAll(nothing, rows))).toBe('abcde')
  expect(ids(toggleAll(toggleAll(nothing, rows), rows))).toBe('')
  expect(ids(toggleAll(nothing, []))).toBe('')
  expect(ids(keep(toggleAll(nothing, rows), new Set(['a', 'c'])))).toBe('ac')
})
