import { expect, it } from 'vitest'
import { arrowOf, attract, crossesItself, fault, moveAll, moveCorner, rectangle, removeCorner, splitEdge } from './shape'

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

it('wants less of a line: two points, some length, and no inside', () => {
  const line = [{ x: 0.1, y: 0.5 }, { x: 0.9, y: 0.5 }]
  expect([fault(line), fault(line, 'crossing'), fault(line.slice(1), 'height')]).toEqual(['few', null, 'few'])
  expect(fault([{ x: 0.5, y: 0.5 }, { x: 0.505, y: 0.5 }], 'height')).toBe('thin')
  expect(removeCorner(line, 0, 2)).toHaveLength(2)
})

it('attracts points to corners, to the edge and into line', () => {
  const corner = { x: 0.4, y: 0.4 }
  expect(attract({ x: 0.405, y: 0.396 }, [corner])).toEqual(corner)
  expect(attract({ x: 0.004, y: 0.995 }, [])).toEqual({ x: 0, y: 1 })
  expect(attract({ x: 0.5, y: 0.3 }, [corner])).toEqual({ x: 0.5, y: 0.3 })
  expect(attract({ x: 0.7, y: 0.45 }, [], corner, true)).toEqual({ x: 0.7, y: 0.4 })
  expect(attract({ x: 0.43, y: 0.9 }, [], corner, true)).toEqual({ x: 0.4, y: 0.9 })
})

it('spans a rectangle and points an arrow to the named side', () => {
  expect(rectangle({ x: 0.1, y: 0.2 }, { x: 0.5, y: 0.6 })).toEqual([{ x: 0.1, y: 0.2 }, { x: 0.5, y: 0.2 }, { x: 0.5, y: 0.6 }, { x: 0.1, y: 0.6 }])
  // Drawn from left to right, the right hand is below.
  const level = [{ x: 0.2, y: 0.5 }, { x: 0.8, y: 0.5 }]
  expect(arrowOf(level, true, 16 / 9)?.to.y).toBeGreaterThan(0.5)
  expect(arrowOf(level, false, 16 / 9)?.to.y).toBeLessThan(0.5)
  // Drawn downwards, it is on the left of the picture.
  const down = [{ x: 0.5, y: 0.2 }, { x: 0.5, y: 0.8 }]
  expect(arrowOf(down, true, 16 / 9)?.to.x).toBeLessThan(0.5)
  expect(arrowOf([], true, 1)).toBeNull()
})
