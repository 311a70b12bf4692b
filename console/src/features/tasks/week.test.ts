import { expect, it } from 'vitest'
import { isNeverArmed, paint, presets, spansOf, tidy, weekOf } from './week'

const schedule = (spans: { weekday: number; from_minute: number; to_minute: number }[]) => ({ utc_offset_minutes: 480, spans })

it('reads spans into half hours and writes them back', () => {
  const spans = [
    { weekday: 0, from_minute: 480, to_minute: 720 },
    { weekday: 0, from_minute: 780, to_minute: 1080 },
    { weekday: 6, from_minute: 0, to_minute: 1440 },
  ]
  expect(spansOf(weekOf(schedule(spans)))).toEqual(spans)
})

it('is always armed without spans, and writes none when everything is', () => {
  expect(weekOf(schedule([])).flat().every(Boolean)).toBe(true)
  expect(spansOf(presets.always())).toEqual([])
  expect(isNeverArmed(paint(presets.always(), { day: 0, cell: 0 }, { day: 6, cell: 47 }, false))).toBe(true)
})

it('shows a half hour that is armed in part, and joins spans that touch', () => {
  const week = weekOf(schedule([{ weekday: 2, from_minute: 485, to_minute: 500 }, { weekday: 2, from_minute: 510, to_minute: 540 }]))
  expect(spansOf(week)).toEqual([{ weekday: 2, from_minute: 480, to_minute: 540 }])
})

it('paints a rectangle from whichever corner', () => {
  const none = paint(presets.always(), { day: 0, cell: 0 }, { day: 6, cell: 47 }, false)
  const painted = paint(none, { day: 4, cell: 20 }, { day: 1, cell: 18 }, true)
  expect(spansOf(painted).map((span) => span.weekday)).toEqual([1, 2, 3, 4])
  expect(spansOf(painted)[0]).toMatchObject({ from_minute: 540, to_minute: 630 })
  expect(spansOf(presets.work())).toHaveLength(7)
  expect(spansOf(presets.offWork())).toHaveLength(14)
})

it('keeps one plan a day in the order of the calendar', () => {
  expect(tidy([{ date: '2027-02-07', plan: 'off' }, { date: '', plan: 'off' }, { date: '2027-02-06', plan: 'all_day' }, { date: '2027-02-07', plan: 'like_monday' }])).toEqual([
    { date: '2027-02-06', plan: 'all_day' },
    { date: '2027-02-07', plan: 'like_monday' },
  ])
})
