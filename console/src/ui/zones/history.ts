/** What was there before each change, to go back and forth between. */
export interface History<T> {
  past: readonly T[]
  future: readonly T[]
}

const most = 100

export const noHistory: History<never> = { past: [], future: [] }

/** Remembers `now` before it is changed; what was undone before cannot come back after that. */
export const remember = <T>(history: History<T>, now: T): History<T> => ({ past: [...history.past, now].slice(-most), future: [] })

export function undo<T>(history: History<T>, now: T): { history: History<T>; value: T } | null {
  const value = history.past.at(-1)
  return value === undefined ? null : { value, history: { past: history.past.slice(0, -1), future: [...history.future, now] } }
}

export function redo<T>(history: History<T>, now: T): { history: History<T>; value: T } | null {
  const value = history.future.at(-1)
  return value === undefined ? null : { value, history: { past: [...history.past, now], future: history.future.slice(0, -1) } }
}
