import { describe, expect, it } from 'vitest'
import type { EventSummary } from '@/api/types'
import { event } from './event.test-data'
import { advance, compare, flatten, following, insert, isNewer, partition, patch, type Pages } from './queue'

const pages = (rows: EventSummary[][], more = false): Pages => ({
  pages: rows.map((items, i) => ({ items, next_cursor: i < rows.length - 1 || more ? `after-${i}` : null })),
  pageParams: rows.map(() => null),
})
const ids = (data: Pages) => flatten(data).map((row) => row.id)

describe('the queue', () => {
  it('shows the newest decision first and breaks ties by id', () => {
    const rows = [event('a', 10), event('c', 20), event('b', 20)]
    expect(rows.sort(compare).map((row) => row.id)).toEqual(['c', 'b', 'a'])
  })

  it.each([
    ['later version wins', { version: 2 }, {}, true],
    ['later revision of the same version wins', { revision: 2 }, {}, true],
    ['the same again does not', {}, {}, false],
    ['an older version never wins, whatever its revision', { version: 1, revision: 9 }, { version: 2 }, false],
  ])('%s', (_, next, known, expected) => {
    expect(isNewer(event('a', 1, next), event('a', 1, known))).toBe(expected)
  })

  it('puts an arrival where its time belongs', () => {
    const data = pages([[event('d', 40), event('b', 20)], [event('a', 10)]])
    expect(ids(insert(data, event('e', 50)))).toEqual(['e', 'd', 'b', 'a'])
    expect(ids(insert(data, event('c', 30)))).toEqual(['d', 'c', 'b', 'a'])
    expect(ids(insert(data, event('0', 5)))).toEqual(['d', 'b', 'a', '0'])
  })

  it('leaves a late arrival to its page when that page is not loaded yet', () => {
    const data = pages([[event('d', 40)]], true)
    expect(ids(insert(data, event('0', 5)))).toEqual(['d'])
  })

  it('replaces a row in place and ignores what is older or unknown', () => {
    const data = pages([[event('b', 20, { version: 3 }), event('a', 10)]])
    expect(flatten(patch(data, event('a', 10, { version: 2, state: 'confirmed' })) as Pages)[1]?.state).toBe('confirmed')
    expect(flatten(patch(data, event('b', 20, { version: 2, state: 'ignored' })) as Pages)[0]?.state).toBe('pending')
    expect(patch(data, event('x', 20))).toBeNull()
  })

  it('shows a row once when two pages carry it, in its newest form', () => {
    const data = pages([[event('b', 20)], [event('b', 20, { version: 2, state: 'confirmed' }), event('a', 10)]])
    expect(flatten(data).map((row) => [row.id, row.state])).toEqual([
      ['b', 'confirmed'],
      ['a', 'pending'],
    ])
  })

  it('keeps what is newer than the frontier waiting, whether it came by stream or by fetch', () => {
    const frontier = advance([event('b', 20), event('a', 10)], null, true)
    expect(frontier?.id).toBe('b')
    const streamed = flatten(insert(pages([[event('b', 20), event('a', 10)]]), event('c', 30)))
    const fetched = flatten(pages([[event('d', 40), event('c', 30), event('b', 20), event('a', 10)]]))
    for (const [rows, count] of [[streamed, 1], [fetched, 2]] as const) {
      const held = advance(rows, frontier, false)
      expect(held).toBe(frontier)
      const { shown, waiting } = partition(rows, held)
      expect(shown.map((row) => row.id)).toEqual(['b', 'a'])
      expect(waiting).toHaveLength(count)
      expect(partition(rows, advance(rows, frontier, true)).waiting).toEqual([])
    }
  })

  it('shows late arrivals of an older time at once, and keeps the frontier when its own row has gone', () => {
    const frontier = event('b', 20)
    const rows = [event('c', 30), event('a', 15), event('0', 10)]
    expect(partition(rows, advance(rows, frontier, false)).shown.map((row) => row.id)).toEqual(['a', '0'])
    const newer = event('b', 20, { version: 2 })
    expect(partition([newer], frontier)).toEqual({ shown: [newer], waiting: [] })
  })

  it('has no frontier over an empty queue, so that the first arrival is shown', () => {
    expect(advance([], event('b', 20), false)).toBeNull()
    expect(advance([event('c', 30)], null, false)?.id).toBe('c')
  })

  it('moves on to the next open alert, else back, else nowhere', () => {
    const rows = [event('c', 30), event('b', 20, { state: 'confirmed' }), event('a', 10)]
    const isOpen = (row: EventSummary) => row.state === 'pending'
    expect(following(rows, 'c', isOpen)).toEqual(['a'])
    expect(following(rows, 'a', isOpen)).toEqual(['c'])
    expect(following([event('a', 1)], 'a', isOpen)).toEqual([])
    expect(following([event('d', 4), event('c', 3), event('b', 2), event('a', 1)], 'c', isOpen, 2)).toEqual(['b', 'a'])
  })
})
