/** Shares of the picture, 0 to 1, origin top-left. */
export interface Point {
  x: number
  y: number
}

export interface Rect extends Point {
  w: number
  h: number
}

/** A box to draw. */
export interface MarkedBox {
  key: string
  rect: Rect
  label: string
  tone: 'alarm' | 'subject' | 'safe' | 'context'
}

/** A polygon to draw. */
export interface MarkedZone {
  key: string
  points: Point[]
  label: string
  kind: 'include' | 'exclude'
}

/** The largest rectangle of `ratio` (width ÷ height) that fits, centred. */
export function fit(width: number, height: number, ratio: number): { left: number; top: number; width: number; height: number } {
  if (width <= 0 || height <= 0 || !(ratio > 0)) return { left: 0, top: 0, width: 0, height: 0 }
  const w = Math.min(width, height * ratio)
  const h = w / ratio
  return { left: (width - w) / 2, top: (height - h) / 2, width: w, height: h }
}

export const clamp01 = (value: number) => Math.min(1, Math.max(0, value))
