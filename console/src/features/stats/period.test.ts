import { expect, it } from 'vitest'
import { changeOf, daysBetween, percent, spanOf } from './period'

it('spans days that end today, and the same number before', () => {
  const now = Date.UTC(2026, 10, 23, 8)
  const { from, to } = spanOf(7, now)
  expect([new Date(from / 1_000).toISOString(), to / 1_000]).toEqual(['2026-11-17T08:00:00.000Z', now])
  expect(new Date(spanOf(7, now, 1).to / 1_000).toISOString()).toBe('2026-11-16T08:00:00.000Z')
})

it('fills the days without alarms', () => {
  expect(daysBetween('2026-02-27', '2026-03-02')).toEqual(['2026-02-27', '2026-02-28', '2026-03-01', '2026-03-02'])
  expect(daysBetween('2026-03-02', '2026-02-27')).toEqual([])
})

it('says nothing where nothing is known', () => {
  expect([percent(null), percent(0.873), percent(1), percent(0.998)]).toEqual(['–', '87%', '100%', '99.8%'])
  expect([changeOf(12, 10), changeOf(3, 0), changeOf(3, undefined)]).toEqual([0.2, null, null])
})
