import { expect, it } from 'vitest'
import { noHistory, redo, remember, undo, type History } from './history'

it('goes back and forth, and forgets the way forward after a new change', () => {
  let history: History<string> = noHistory
  history = remember(history, 'a')
  history = remember(history, 'b')
  const back = undo(history, 'c')
  expect(back?.value).toBe('b')
  const forth = back && redo(back.history, back.value)
  expect(forth?.value).toBe('c')
  const changed = back && remember(back.history, back.value)
  expect(changed && redo(changed, 'd')).toBeNull()
  expect(undo(noHistory, 'a')).toBeNull()
})

it('keeps a hundred steps', () => {
  let history: History<number> = noHistory
  for (let n = 0; n < 250; n += 1) history = remember(history, n)
  expect([history.past.length, history.past[0]]).toEqual([100, 150])
})
