import { clamp01, type Point } from '../geometry'

export const lineKinds = ['crossing', 'crossing_rightward', 'crossing_leftward', 'height'] as const
export type LineKind = (typeof lineKinds)[number]
export type ZoneKind = 'include' | 'exclude'
export type FigureKind = ZoneKind | LineKind

/** What is drawn on a picture: a zone has at least three corners, a line at least two points. */
export interface Figure {
  name: string
  kind: FigureKind
  points: Point[]
  /** Smallest confidence inside a zone, where it differs from the task's. */
  min_score?: number | null
}

export const isLine = (kind: FigureKind): kind is LineKind => kind !== 'include' && kind !== 'exclude'
export const fewestPoints = (kind: FigureKind) => (isLine(kind) ? 2 : 3)
export const mostPoints = (kind: FigureKind) => (isLine(kind) ? 16 : 64)

/** Rounded to a ten-thousandth of the picture, which no eye can tell from the exact place. */
export const snap = (point: Point): Point => ({
  x: Math.round(clamp01(point.x) * 10_000) / 10_000,
  y: Math.round(clamp01(point.y) * 10_000) / 10_000,
})

/** Within this share of the picture a point jumps to the edge of the picture or to a corner of another figure. */
const reach = 0.012

/**
 * Where a point goes that is put near something: onto a corner of another figure, else onto the picture's edge. With
 * `straight`, it goes level with or above the point before it, whichever is nearer.
 */
export function attract(point: Point, corners: readonly Point[], before?: Point, straight = false): Point {
  const corner = corners.find((known) => Math.hypot(known.x - point.x, known.y - point.y) < reach)
  if (corner) return snap(corner)
  const edge = (value: number) => (value < reach ? 0 : value > 1 - reach ? 1 : value)
  const at = { x: edge(point.x), y: edge(point.y) }
  if (!straight || !before) return snap(at)
  return snap(Math.abs(at.x - before.x) < Math.abs(at.y - before.y) ? { x: before.x, y: at.y } : { x: at.x, y: before.y })
}

/** The corners of the rectangle between two opposite ones. */
export function rectangle(from: Point, to: Point): Point[] {
  return [from, { x: to.x, y: from.y }, to, { x: from.x, y: to.y }].map(snap)
}

/**
 * Middle of a line's longest piece and where its arrow ends; `aspect` is width ÷ height of the picture. The right hand
 * is meant as seen along the drawing direction.
 */
export function arrowOf(points: readonly Point[], toRight: boolean, aspect: number): { from: Point; to: Point } | null {
  let best: [Point, Point] | null = null
  let longest = 0
  for (const [i, point] of points.entries()) {
    const next = points[i + 1]
    const length = next ? Math.hypot((next.x - point.x) * aspect, next.y - point.y) : 0
    if (next && length > longest) [best, longest] = [[point, next], length]
  }
  if (!best) return null
  const [a, b] = best
  const from = { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }
  const size = 0.07 / longest
  const side = toRight ? 1 : -1
  // A quarter turn, in pixels, where y grows downwards.
  const to = { x: from.x - (side * size * (b.y - a.y)) / aspect, y: from.y + side * size * (b.x - a.x) * aspect }
  return { from, to }
}

export const moveCorner = (points: readonly Point[], at: number, to: Point): Point[] => points.map((point, i) => (i === at ? snap(to) : point))

/** Removes a corner, unless too few would be left. */
export const removeCorner = (points: readonly Point[], at: number, fewest = 3): Point[] =>
  points.length > fewest ? points.filter((_, i) => i !== at) : [...points]

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

/** What is wrong with a figure, as a key of the texts; null when nothing. */
export function fault(points: readonly Point[], kind: FigureKind = 'include'): 'few' | 'crossed' | 'thin' | null {
  if (points.length < fewestPoints(kind)) return 'few'
  if (isLine(kind)) {
    const length = points.reduce((sum, point, i) => {
      const next = points[i + 1]
      return next ? sum + Math.hypot(next.x - point.x, next.y - point.y) : sum
    }, 0)
    return length < 0.02 ? 'thin' : null
  }
  if (crossesItself(points)) return 'crossed'
  return area(points) < 0.0005 ? 'thin' : null
}
