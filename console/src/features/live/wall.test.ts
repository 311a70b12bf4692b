import { expect, it } from 'vitest'
import { decode, encode, fill, place, sizeFor } from './wall'

it('chooses the smallest wall that shows everything', () => {
  expect([0, 1, 2, 4, 5, 10, 40].map(sizeFor)).toEqual([1, 1, 4, 4, 9, 16, 16])
})

it('fills cells in order and shows nothing twice', () => {
  expect(fill(4, ['a', 'b', 'a'])).toEqual(['a', 'b', null, null])
})

it('puts a camera into the first free cell, or swaps', () => {
  expect(place(['a', null, null, null], 'b')).toEqual(['a', 'b', null, null])
  expect(place(['a', 'b', null, null], 'a', 1)).toEqual(['b', 'a', null, null])
  expect(place(['a', 'b', 'c', 'd'], 'e')).toEqual(['a', 'b', 'c', 'e'])
})

it('goes through the address unchanged', () => {
  expect(decode(encode(['a', null, 'c', null]))).toEqual(['a', null, 'c'])
})
