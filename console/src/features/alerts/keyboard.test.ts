import { describe, expect, it } from 'vitest'
import { commandFor, type Command, type Mode } from './keyboard'

const press = (key: string, part: { modified?: boolean; typing?: boolean; shift?: boolean } = {}) => ({ key, modified: false, typing: false, ...part })

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
    ['queue', 'x', { kind: 'mark', range: false }],
    ['queue', 'z', { kind: 'zoom' }],
    ['queue', 'g', { kind: 'unfold' }],
    ['queue', '/', { kind: 'find' }],
    ['queue', 'q', null],
    ['reasons', 'x', null],
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

  it('marks ranges with Shift and everything with Ctrl+A', () => {
    expect(commandFor('queue', press('X', { shift: true }))).toEqual({ kind: 'mark', range: true })
    expect(commandFor('queue', press('ArrowDown', { shift: true }))).toEqual({ kind: 'move', by: 1, marking: true })
    expect(commandFor('queue', press('a', { modified: true }))).toEqual({ kind: 'mark-all' })
    expect(commandFor('queue', press('a', { modified: true, typing: true }))).toBeNull()
    expect(commandFor('reasons', press('a', { modified: true }))).toBeNull()
  })

  it('leaves the browser its shortcuts and the writer his letters', () => {
    expect(commandFor('queue', press('u', { modified: true }))).toBeNull()
    expect(commandFor('queue', press('1', { typing: true }))).toBeNull()
  })
})
