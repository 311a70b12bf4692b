import { describe, expect, it } from 'vitest'
import { event } from './event.test-data'
import { isPlain, matches, queryOf, readFilter, waiting, writeFilter, type AlertFilter } from './filter'

const now = Date.UTC(2026, 2, 4, 9)
const filter = (part: Partial<AlertFilter>): AlertFilter => ({ states: [], severities: [], algorithms: [], ...part })
const written = (value: AlertFilter) => Object.fromEntries(Object.entries(writeFilter(value)).filter(([, text]) => text !== undefined)) as Record<string, string>

describe('the filter', () => {
  it.each<[string, AlertFilter]>([
    ['', waiting],
    ['state=all', filter({})],
    ['state=pending,confirmed&severity=red,orange&algorithm=crowd', filter({ states: ['pending', 'confirmed'], severities: ['red', 'orange'], algorithms: ['crowd'] })],
    ['state=all&time=today&q=东门', filter({ time: { kind: 'today' }, text: '东门' })],
    ['state=all&time=24h&site=s&camera=c', filter({ time: { kind: 'last', hours: 24 }, site: 's', camera: 'c' })],
    ['state=all&time=1772600000-1772603600', filter({ time: { kind: 'between', from: 1_772_600_000_000, to: 1_772_603_600_000 } })],
  ])('goes into the address and back: %s', (address, expected) => {
    const read = readFilter(Object.fromEntries(new URLSearchParams(address)))
    expect(JSON.parse(JSON.stringify(read))).toEqual(JSON.parse(JSON.stringify(expected)))
    expect(written(read)).toEqual(Object.fromEntries(new URLSearchParams(address)))
  })

  it('drops what it does not know', () => {
    expect(readFilter({ state: 'nonsense,closed', severity: 'blue', time: 'soon' })).toMatchObject({ states: ['closed'], severities: [], time: undefined })
  })

  it('knows the plain queue', () => {
    expect(isPlain(waiting)).toBe(true)
    expect(isPlain({ ...waiting, text: 'a' })).toBe(false)
  })

  it('speaks to the server in lists and microseconds', () => {
    expect(queryOf(filter({ states: ['pending', 'confirmed'], time: { kind: 'last', hours: 1 }, text: ' 塔吊 ' }), now)).toMatchObject({
      states: 'pending,confirmed',
      from: (now - 3_600_000) * 1_000,
      to: undefined,
      q: '塔吊',
    })
  })

  it.each<[string, Partial<AlertFilter>, boolean]>([
    ['nothing asked', {}, true],
    ['every field', { states: ['pending'], severities: ['orange'], camera: 'c1', site: 's', algorithms: ['no_helmet', 'crowd'] }, true],
    ['another state', { states: ['closed'] }, false],
    ['another algorithm', { algorithms: ['crowd'] }, false],
    ['within the hour', { time: { kind: 'last', hours: 1 } }, true],
    ['before the hour', { time: { kind: 'between', from: 0, to: now - 7_200_000 } }, false],
    ['a word of the camera', { text: 'GAT' }, true],
    ['a word it does not show', { text: '反光衣' }, false],
  ])('matches arrivals: %s', (_, part, expected) => {
    expect(matches(filter(part), event('a', (now - 60_000) * 1_000), now)).toBe(expected)
  })
})
