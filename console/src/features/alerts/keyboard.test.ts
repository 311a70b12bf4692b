import { describe, expect, it } from 'vitest'
import { commandFor, type Command, type Mode } from './keyboard'

const press = (key: string, part: { modified?: boolean; typing?: boolean } = {}) => ({ key, modified: false, typing: false, ...part })

describe('the keys of the alert centre', () => {
  it.each<[Mode, string, Command | null]>([
    ['queue', 'j', { kind: 'move', by: 1 }],
    ['queue', 'J', { kind: 'move', by: 1 }],
    ['queue', 'k', { kind: 'move', by: -1 }],
    ['queue', 'ArrowDown', { kind: 'move', by: 1 }],
    ['queue', 'Enter', { kind: 'open' }],
    ['queue', '1', { kind: 'act', action: 'confirm' }],
    ['queue', '2', { kind: 'ask-reason' }],
    ['queue', '3', { kind: 'act', action: 'dispatch' }],
    ['queue', '4', { kind: 'act', action: 'ignore' }],
    ['queue', '5', null],
    ['queue', ' ', { kind: 'toggle-clip' }],
    ['queue', 'u', { kind: 'undo' }],
    ['queue', '?', { kind: 'help' }],
    ['queue', 'x', null],
    ['reasons', '1', { kind: 'reason', reason: 'reflection' }],
    ['reasons', '6', { kind: 'reason', reason: 'other' }],
    ['reasons', '7', null],
    ['reasons', 'j', null],
    ['reasons', 'Escape', { kind: 'cancel' }],
    ['help', '?', { kind: 'help' }],
    ['help', 'Escape', { kind: 'help' }],
    ['help', '1', null],
  ])('%s: %s', (mode, key, expected) => {
    expect(commandFor(mode, press(key))).toEqual(expected)
  })

  it('leaves the browser its shortcuts and the writer his letters', () => {
    expect(commandFor('queue', press('u', { modified: true }))).toBeNull()
    expect(commandFor('queue', press('1', { typing: true }))).toBeNull()
  })
})
