import type { EventAction, FalseAlarmReason } from '@/api/types'

/** What the keys mean just now. */
export type Mode = 'queue' | 'reasons' | 'help'

export interface KeyPress {
  key: string
  /** Ctrl, Alt or Meta is held: the browser's own shortcut, but for Ctrl+A. */
  modified: boolean
  shift?: boolean
  /** The focus is where text is written, or on a control that takes the key itself. */
  typing: boolean
}

export type Command =
  | { kind: 'move'; by: 1 | -1; marking?: true }
  | { kind: 'mark'; range: boolean }
  | { kind: 'mark-all' }
  | { kind: 'open' }
  | { kind: 'act'; action: EventAction }
  | { kind: 'ask-reason' }
  | { kind: 'reason'; reason: FalseAlarmReason }
  | { kind: 'cancel' }
  | { kind: 'toggle-clip' }
  | { kind: 'toggle-boxes' }
  | { kind: 'zoom' }
  | { kind: 'unfold' }
  | { kind: 'find' }
  | { kind: 'undo' }
  | { kind: 'help' }

/** The reasons in the order of their digits. */
export const reasons: readonly FalseAlarmReason[] = ['reflection', 'occlusion', 'similar_object', 'wrong_zone', 'dirty_lens', 'other']

/** The actions that have a digit, in its order. */
export const digitActions: readonly EventAction[] = ['confirm', 'false_alarm', 'dispatch', 'ignore']

/** What a key press means in a mode; null when it is not for us. */
export function commandFor(mode: Mode, press: KeyPress): Command | null {
  if (press.typing) return null
  const key = press.key.length === 1 ? press.key.toLowerCase() : press.key
  if (press.modified) return mode === 'queue' && key === 'a' && !press.shift ? { kind: 'mark-all' } : null
  if (mode === 'help') return key === 'Escape' || key === '?' ? { kind: 'help' } : null
  if (mode === 'reasons') {
    if (key === 'Escape') return { kind: 'cancel' }
    const reason = /^[1-9]$/.test(key) ? reasons[Number(key) - 1] : undefined
    return reason ? { kind: 'reason', reason } : null
  }
  switch (key) {
    case 'j':
    case 'ArrowDown':
      return press.shift ? { kind: 'move', by: 1, marking: true } : { kind: 'move', by: 1 }
    case 'k':
    case 'ArrowUp':
      return press.shift ? { kind: 'move', by: -1, marking: true } : { kind: 'move', by: -1 }
    case 'Enter':
      return { kind: 'open' }
    case '1':
      return { kind: 'act', action: 'confirm' }
    case '2':
      return { kind: 'ask-reason' }
    case '3':
      return { kind: 'act', action: 'dispatch' }
    case '4':
      return { kind: 'act', action: 'ignore' }
    case ' ':
      return { kind: 'toggle-clip' }
    case 'b':
      return { kind: 'toggle-boxes' }
    case 'u':
      return { kind: 'undo' }
    case 'x':
      return { kind: 'mark', range: press.shift ?? false }
    case 'z':
      return { kind: 'zoom' }
    case 'g':
      return { kind: 'unfold' }
    case '/':
      return { kind: 'find' }
    case '?':
      return { kind: 'help' }
    case 'Escape':
      return { kind: 'cancel' }
    default:
      return null
  }
}
