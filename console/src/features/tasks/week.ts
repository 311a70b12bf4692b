import type { Schedule } from '@/api/types'

/** Cells of a day: half hours. */
export const cellsPerDay = 48
const cellMinutes = 30

/** Seven days from Monday on, each with its half hours: armed or not. */
export type Week = boolean[][]

export const plans = ['all_day', 'off', 'like_sunday', 'like_monday'] as const
export type HolidayPlan = (typeof plans)[number]
export interface Holiday {
  /** `2027-02-06`, in the site's own time. */
  date: string
  plan: HolidayPlan
}
/** The schedule with the days that differ from the grid. */
export type FullSchedule = Schedule

export const mostHolidays = 366

const emptyDay = () => Array.from({ length: cellsPerDay }, () => false)

/** The grid of a schedule; one without spans is always armed. A half hour that is armed in part shows as armed. */
export function weekOf(schedule: Pick<Schedule, 'spans'>): Week {
  const week = Array.from({ length: 7 }, emptyDay)
  if (schedule.spans.length === 0) return week.map((day) => day.map(() => true))
  for (const span of schedule.spans) {
    const day = week[span.weekday]
    if (!day) continue
    for (let cell = Math.floor(span.from_minute / cellMinutes); cell < Math.ceil(span.to_minute / cellMinutes); cell += 1) day[cell] = true
  }
  return week
}

/** The spans of a grid: joined half hours; none when everything is armed. */
export function spansOf(week: Week): Schedule['spans'] {
  if (week.every((day) => day.every(Boolean))) return []
  return week.flatMap((day, weekday) => {
    const spans: Schedule['spans'] = []
    for (let cell = 0; cell < cellsPerDay; cell += 1) {
      if (!day[cell]) continue
      const from = cell
      while (day[cell + 1]) cell += 1
      spans.push({ weekday, from_minute: from * cellMinutes, to_minute: (cell + 1) * cellMinutes })
    }
    return spans
  })
}

export const isNeverArmed = (week: Week) => week.every((day) => !day.some(Boolean))

/** The grid with a rectangle of it set: all days and half hours between two corners. */
export function paint(week: Week, from: { day: number; cell: number }, to: { day: number; cell: number }, armed: boolean): Week {
  const [firstDay, lastDay] = [Math.min(from.day, to.day), Math.max(from.day, to.day)]
  const [firstCell, lastCell] = [Math.min(from.cell, to.cell), Math.max(from.cell, to.cell)]
  return week.map((cells, day) => (day < firstDay || day > lastDay ? cells : cells.map((was, cell) => (cell < firstCell || cell > lastCell ? was : armed))))
}

/** Grids to start from. Working hours are 08:00 to 18:00. */
export const presets: Record<'always' | 'work' | 'offWork', () => Week> = {
  always: () => Array.from({ length: 7 }, () => emptyDay().map(() => true)),
  work: () => Array.from({ length: 7 }, () => emptyDay().map((_, cell) => cell >= 16 && cell < 36)),
  offWork: () => Array.from({ length: 7 }, () => emptyDay().map((_, cell) => cell < 16 || cell >= 36)),
}

/** Holidays in the order of the calendar, one entry a day: the last one given counts. */
export function tidy(holidays: readonly Holiday[]): Holiday[] {
  const byDate = new Map(holidays.filter((holiday) => /^\d{4}-\d{2}-\d{2}$/.test(holiday.date)).map((holiday) => [holiday.date, holiday]))
  return [...byDate.values()].sort((a, b) => (a.date < b.date ? -1 : 1)).slice(0, mostHolidays)
}
