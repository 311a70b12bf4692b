import { expect, it } from 'vitest'
import { reachable, stepsTo } from './actions'

it('dispatches a pending alert by confirming it on the way', () => {
  const pending = { state: 'pending', actions: ['confirm', 'false_alarm'] } as const
  expect(reachable({ ...pending, actions: [...pending.actions] })).toContain('dispatch')
  expect(stepsTo('dispatch', { ...pending, actions: [...pending.actions] })).toEqual(['confirm', 'dispatch'])
})

it('takes the server at its word otherwise', () => {
  expect(stepsTo('dispatch', { state: 'confirmed', actions: ['dispatch'] })).toEqual(['dispatch'])
  expect(reachable({ state: 'closed', actions: [] })).toEqual([])
})
