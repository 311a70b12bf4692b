import type { TimedBox } from '@/api/types'
import type { Point, Rect } from '@/ui/geometry'

/** A look at a part of the picture: the picture is enlarged `scale` times, and `centre` (0 to 1) stands in the middle. */
export interface Look {
  scale: number
  centre: Point
}

export const whole: Look = { scale: 1, centre: { x: 0.5, y: 0.5 } }
const mostScale = 8
/** The subject fills this share of the view at most. */
const fill = 0.5

/** The rectangle around everything the alert is about; null when no box is marked as such. */
export function subjectOf(boxes: readonly Pick<TimedBox, 'bbox' | 'subject'>[]): Rect | null {
  const subjects = boxes.filter((box) => box.subject).map((box) => box.bbox)
  if (subjects.length === 0) return null
  const x = Math.min(...subjects.map((box) => box.x))
  const y = Math.min(...subjects.map((box) => box.y))
  return { x, y, w: Math.max(...subjects.map((box) => box.x + box.w)) - x, h: Math.max(...subjects.map((box) => box.y + box.h)) - y }
}

/** Keeps the view on the picture. */
export function clampLook({ scale, centre }: Look): Look {
  const s = Math.min(mostScale, Math.max(1, scale))
  const half = 0.5 / s
  const inside = (value: number) => Math.min(1 - half, Math.max(half, value))
  return { scale: s, centre: { x: inside(centre.x), y: inside(centre.y) } }
}

/** A close look at a rectangle, with some of what is around it; without one, at the middle. */
export function lookAt(focus: Rect | null): Look {
  if (!focus) return { scale: 2, centre: { x: 0.5, y: 0.5 } }
  const scale = Math.max(1.5, Math.min(fill / Math.max(focus.w, 0.001), fill / Math.max(focus.h, 0.001)))
  return clampLook({ scale, centre: { x: focus.x + focus.w / 2, y: focus.y + focus.h / 2 } })
}

/** Enlarges by a factor so that the point under the pointer (`at`, shares of the view) stays where it is. */
export function enlarge(look: Look, factor: number, at: Point): Look {
  const scale = Math.min(mostScale, Math.max(1, look.scale * factor))
  const shift = (centre: number, place: number) => centre + (place - 0.5) * (1 / look.scale - 1 / scale)
  return clampLook({ scale, centre: { x: shift(look.centre.x, at.x), y: shift(look.centre.y, at.y) } })
}

/** Moves by shares of the view. */
export function pan(look: Look, by: Point): Look {
  return clampLook({ scale: look.scale, centre: { x: look.centre.x - by.x / look.scale, y: look.centre.y - by.y / look.scale } })
}

/** The same as a CSS transform of something that fills the view, with its origin at the top left. */
export function transformOf({ scale, centre }: Look): string {
  return `translate(${((0.5 - centre.x * scale) * 100).toFixed(3)}%, ${((0.5 - centre.y * scale) * 100).toFixed(3)}%) scale(${scale.toFixed(4)})`
}
