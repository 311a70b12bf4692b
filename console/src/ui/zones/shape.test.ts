import { expect, it } from 'vitest'
import { crossesItself, fault, moveAll, moveCorner, removeCorner, splitEdge } from './shape'

const square = [
  { x: 0.2, y: 0.2 },
  { x: 0.6, y: 0.2 },
  { x: 0.6, y: 0.6 },
  { x: 0.2, y: 0.6 },
]
const bowTie = [square[0], square[2], square[1], square[3]].map((point) => point ?? { x: 0, y: 0 })

it('keeps corners on the picture', () => {
  expect(moveCorner(square, 0, { x: -0.3, y: 1.4 })[0]).toEqual({ x: 0, y: 1 })
})

it('moves a zone only as far as it stays whole', () => {
  expect(moveAll(square, { x: 0.9, y: -0.9 })).toEqual([
    { x: 0.6, y: 0 },
    { x: 1, y: 0 },
    { x: 1, y: 0.4 },
    { x: 0.6, y: 0.4 },
  ])
})

it('adds a corner in the middle of an edge and takes corners away down to a triangle', () => {
  expect(splitEdge(square, 3)[4]).toEqual({ x: 0.2, y: 0.4 })
  const triangle = removeCorner(square, 1)
  expect(triangle).toHaveLength(3)
  expect(removeCorner(triangle, 0)).toHaveLength(3)
})

it('names what is wrong with an outline', () => {
  expect(crossesItself(square)).toBe(false)
  expect([fault(square), fault(bowTie), fault(square.slice(0, 2))]).toEqual([null, 'crossed', 'few'])
  expect(fault(square.map((point) => ({ x: point.x / 100, y: point.y / 100 })))).toBe('thin')
})
