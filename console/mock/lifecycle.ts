/** The closed loop of an event, as the control plane has it. */
import type { EventAction, EventState } from '../src/api/types'

const steps: Record<Exclude<EventAction, 'undo'>, { from: EventState[]; to: EventState }> = {
  confirm: { from: ['pending'], to: 'confirmed' },
  false_alarm: { from: ['pending', 'confirmed'], to: 'false_alarm' },
  duplicate: { from: ['pending', 'confirmed'], to: 'duplicate' },
  ignore: { from: ['pending', 'confirmed'], to: 'ignored' },
  dispatch: { from: ['pending', 'confirmed'], to: 'dispatched' },
  start: { from: ['dispatched'], to: 'in_progress' },
  submit: { from: ['in_progress'], to: 'in_review' },
  close: { from: ['in_review'], to: 'closed' },
  reject: { from: ['in_review'], to: 'in_progress' },
}

/** Where a step leads, or null when it cannot be taken from here. */
export function step(from: EventState, action: EventAction): EventState | null {
  if (action === 'undo') return null
  const rule = steps[action]
  return rule.from.includes(from) ? rule.to : null
}

export function possible(from: EventState): EventAction[] {
  return (Object.keys(steps) as EventAction[]).filter((action) => step(from, action) !== null)
}
