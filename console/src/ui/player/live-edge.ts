/** Farther behind than this, the viewer jumps. */
export const jumpBehindSecs = 1.5
/** Where a jump lands: a small reserve against a stuttering network. */
export const reserveSecs = 0.5
/** What is kept behind the picture. */
const keepSecs = 10
const trimAtSecs = 20

export interface Span {
  start: number
  end: number
}

/** Where to jump to stay live, or null to play on. */
export function jumpTo(current: number, buffered: readonly Span[]): number | null {
  const last = buffered.at(-1)
  if (!last) return null
  const target = Math.max(last.start, last.end - reserveSecs)
  if (last.end - current > jumpBehindSecs) return target
  // Before the data or in a hole between two spans the picture would stand still.
  const isInside = buffered.some((span) => current >= span.start && current <= span.end)
  return isInside || current > last.end ? null : target
}

/** The part of the buffer that can go, or null. */
export function trimRange(current: number, buffered: readonly Span[]): Span | null {
  const first = buffered[0]
  if (!first || current - first.start < trimAtSecs) return null
  return { start: first.start, end: current - keepSecs }
}
