import { clamp01, type Point } from '../geometry'

export interface EditableZone {
  name: string
  kind: 'include' | 'exclude'
  points: Point[]
}

export const fewestCorners = 3

/** Rounded to a ten-thousandth of the picture, which no eye can tell from the exact place. */
export const snap = (point: Point): Point => ({
  x: Math.round(clamp01(point.x) * 10_000) / 10_000,
  y: Math.round(clamp01(point.y) * 10_000) / 10_000,
})

export const moveCorner = (points: readonly Point[], at: number, to: Point): Point[] => points.map((point, i) => (i === at ? snap(to) : point))

/** Removes a corner, unless too few would be left. */
export const removeCorner = (points: readonly Point[], at: number): Point[] =>
  points.length > fewestCorners ? points.filter((_, i) => i !== at) : [...points]

/** Adds a corner in the middle of the edge that begins at corner `at`. */
export function splitEdge(points: readonly Point[], at: number): Point[] {
  const from = points[at]
  const to = points[(at + 1) % points.length]
  return from && to ? points.toSpliced(at + 1, 0, snap({ x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 })) : [...points]
}

/** Moves a whole outline as far as it stays on the picture. */
export function moveAll(points: readonly Point[], by: Point): Point[] {
  const room = (key: 'x' | 'y') => {
    const values = points.map((point) => point[key])
    return Math.min(1 - Math.max(...values), Math.max(-Math.min(...values), by[key]))
  }
  const step = { x: room('x'), y: room('y') }
  return points.map((point) => snap({ x: point.x + step.x, y: point.y + step.y }))
}

const turn = (a: Point, b: Point, c: Point) => (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)

function cross(a: Point, b: Point, c: Point, d: Point): boolean {
  return turn(a, b, c) * turn(a, b, d) < 0 && turn(c, d, a) * turn(c, d, b) < 0
}

/** Whether two edges of the outline cross; such a zone has no clear inside. */
export function crossesItself(points: readonly Point[]): boolean {
  const edges = points.map((point, i) => [point, points[(i + 1) % points.length] ?? point] as const)
  return edges.some(([a, b], i) => edges.slice(i + 1).some(([c, d]) => cross(a, b, c, d)))
}

/** Twice the signed area is what the corners span; the share of the picture is its half. */
export function area(points: readonly Point[]): number {
  const doubled = points.reduce((sum, point, i) => {
    const next = points[(i + 1) % points.length] ?? point
    return sum + point.x * next.y - next.x * point.y
  }, 0)
  return Math.abs(doubled) / 2
}

/** What is wrong with an outline, as a key of the texts; null when nothing. */
export function fault(points: readonly Point[]): 'few' | 'crossed' | 'thin' | null {
  if (points.length < fewestCorners) return 'few'
  if (crossesItself(points)) return 'crossed'
  return area(points) < 0.0005 ? 'thin' : null
}
