/** Spans to report on, in days that end today. */
export const periods = [7, 30, 90, 365] as const
export type Period = (typeof periods)[number]

const dayMs = 86_400_000

/** From the first to the last day of a period, in microseconds; `back` periods before the one that ends today. */
export function spanOf(days: number, nowMs: number, back = 0): { from: number; to: number } {
  const end = nowMs - back * days * dayMs
  return { from: (end - (days - 1) * dayMs) * 1_000, to: end * 1_000 }
}

/** Change from before to now as a share of before; null when there was nothing before. */
export const changeOf = (now: number, before: number | undefined): number | null => (before === undefined || before === 0 ? null : (now - before) / before)

/** `87 %`, or nothing known. */
export const percent = (share: number | null | undefined): string => (share === null || share === undefined ? '–' : `${(share * 100).toFixed(share > 0.995 && share < 1 ? 1 : 0)}%`)

/** The days from first to last, `2026-11-23`, so that days without alarms are seen as such. */
export function daysBetween(first: string, last: string): string[] {
  const days: string[] = []
  for (let at = Date.parse(`${first}T00:00:00Z`); at <= Date.parse(`${last}T00:00:00Z`) && days.length < 1_200; at += dayMs) days.push(new Date(at).toISOString().slice(0, 10))
  return days
}
