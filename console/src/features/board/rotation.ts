/** Which of `count` pictures stands large: each for a while, in turn, the newest first again after an arrival. */
export function turnAt(nowMs: number, sinceMs: number, count: number, eachMs = 8_000): number {
  return count > 0 ? Math.floor(Math.max(0, nowMs - sinceMs) / eachMs) % count : 0
}
