import type { Composer } from 'vue-i18n'

type Translate = Composer['t']

const pad = (n: number) => String(n).padStart(2, '0')

/** `2026-03-04 15:06:07` in the browser's own time zone. */
export function dateTime(micros: number): string {
  const d = new Date(micros / 1_000)
  return `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())} ${clockTime(micros)}`
}

/** `15:06:07`. */
export function clockTime(micros: number): string {
  const d = new Date(micros / 1_000)
  return `${pad(d.getHours())}:${pad(d.getMinutes())}:${pad(d.getSeconds())}`
}

/** How long ago `micros` was at `nowMs`, in words. */
export function age(micros: number, nowMs: number, t: Translate): string {
  const seconds = Math.max(0, Math.floor(nowMs / 1_000 - micros / 1e6))
  if (seconds < 5) return t('time.now')
  if (seconds < 60) return t('time.seconds', { n: seconds })
  if (seconds < 3_600) return t('time.minutes', { n: Math.floor(seconds / 60) })
  if (seconds < 86_400) return t('time.hours', { n: Math.floor(seconds / 3_600) })
  return t('time.days', { n: Math.floor(seconds / 86_400) })
}

/** A length of time in words. */
export function duration(totalSeconds: number, t: Translate): string {
  const s = Math.max(0, Math.round(totalSeconds))
  if (s < 60) return t('time.duration.seconds', { s })
  if (s < 3_600) return t('time.duration.minutes', { m: Math.floor(s / 60), s: s % 60 })
  if (s < 86_400) return t('time.duration.hours', { h: Math.floor(s / 3_600), m: Math.floor((s % 3_600) / 60) })
  return t('time.duration.days', { d: Math.floor(s / 86_400), h: Math.floor((s % 86_400) / 3_600) })
}

/** `1.5 GB`. */
export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = count
  let unit = 0
  while (value >= 1_000 && unit < units.length - 1) {
    value /= 1_000
    unit += 1
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}
