import { expect, it } from 'vitest'
import { clampLook, enlarge, lookAt, pan, subjectOf, transformOf, whole } from './zoom'

it('frames all subjects, and nothing else', () => {
  const box = (x: number, subject: boolean) => ({ bbox: { x, y: 0.2, w: 0.1, h: 0.3 }, subject })
  const found = subjectOf([box(0.1, true), box(0.4, true), box(0.8, false)])
  expect(found?.x).toBeCloseTo(0.1)
  expect(found?.w).toBeCloseTo(0.4)
  expect(subjectOf([box(0.1, false)])).toBeNull()
})

it('brings the subject to the middle at half the view, never past the edge of the picture', () => {
  const look = lookAt({ x: 0.4, y: 0.4, w: 0.1, h: 0.1 })
  expect(look.scale).toBeCloseTo(5)
  expect(look.centre.x).toBeCloseTo(0.45)
  const corner = lookAt({ x: 0, y: 0, w: 0.02, h: 0.02 })
  expect(corner.centre.x - 0.5 / corner.scale).toBeCloseTo(0)
  expect(clampLook({ scale: 0.2, centre: { x: 3, y: -1 } })).toEqual(whole)
})

it('keeps the point under the pointer in its place while enlarging, and pans with the hand', () => {
  const at = { x: 0.75, y: 0.25 }
  const seen = (look: typeof whole) => ({ x: look.centre.x + (at.x - 0.5) / look.scale, y: look.centre.y + (at.y - 0.5) / look.scale })
  const closer = enlarge(whole, 2, at)
  expect(seen(closer).x).toBeCloseTo(seen(whole).x)
  expect(seen(closer).y).toBeCloseTo(seen(whole).y)
  expect(pan({ scale: 2, centre: { x: 0.5, y: 0.5 } }, { x: 0.2, y: 0 }).centre.x).toBeCloseTo(0.4)
  expect(transformOf(whole)).toBe('translate(0.000%, 0.000%) scale(1.0000)')
})
