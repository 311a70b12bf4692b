/** A finger's way over a card: to the right confirms, to the left ignores; too short, or up and down, is neither. */
export type Swiped = 'right' | 'left' | null

/** Pixels that a swipe needs at least: about a finger and a half. */
export const swipeFrom = 96

export function swiped(dx: number, dy: number): Swiped {
  if (Math.abs(dx) < swipeFrom || Math.abs(dx) < 2 * Math.abs(dy)) return null
  return dx > 0 ? 'right' : 'left'
}

/** How far the card follows the finger: not at all before it is clear that the list is not being scrolled. */
export const offsetOf = (dx: number, dy: number) => (Math.abs(dx) < 12 || Math.abs(dx) < Math.abs(dy) ? 0 : Math.max(-160, Math.min(160, dx)))
