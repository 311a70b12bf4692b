import type { EventAction, EventDetail, EventState } from '@/api/types'

/** What can be done with an event: what the server allows, and dispatching at once, which confirms on the way. */
export function reachable(event: Pick<EventDetail, 'actions' | 'state'>): EventAction[] {
  const actions = [...event.actions]
  if (event.state === 'pending' && actions.includes('confirm') && !actions.includes('dispatch')) actions.push('dispatch')
  return actions
}

/** The steps that carry out an action from a state. */
export function stepsTo(action: EventAction, event: Pick<EventDetail, 'actions' | 'state'>): EventAction[] {
  return action === 'dispatch' && !event.actions.includes('dispatch') && event.state === 'pending' ? ['confirm', 'dispatch'] : [action]
}

/** Where an action leads; an undo leads back to wherever it was. */
export const outcome: Record<EventAction, EventState | null> = {
  confirm: 'confirmed',
  false_alarm: 'false_alarm',
  duplicate: 'duplicate',
  ignore: 'ignored',
  dispatch: 'dispatched',
  start: 'in_progress',
  submit: 'in_review',
  close: 'closed',
  reject: 'in_progress',
  undo: null,
}
