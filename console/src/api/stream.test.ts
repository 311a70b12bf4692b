import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Backoff } from '@/lib/backoff'
import { ChangeStream, type LinkState, type Source } from './stream'

class FakeSource extends EventTarget implements Source {
  closed = false
  constructor(readonly url: string) {
    super()
  }
  close() {
    this.closed = true
  }
  say(type: string, data: unknown) {
    this.dispatchEvent(new MessageEvent(type, { data: JSON.stringify(data) }))
  }
}

function setUp() {
  const sources: FakeSource[] = []
  const seen: number[] = []
  const states: LinkState[] = []
  let resyncs = 0
  const stream = new ChangeStream(
    { change: (change) => seen.push(change.seq), state: (state) => states.push(state), resync: () => (resyncs += 1) },
    (url) => {
      const source = new FakeSource(url)
      sources.push(source)
      return source
    },
    new Backoff(1_000, 30_000, () => 1),
  )
  stream.start()
  const change = (seq: number) => ({ seq, kind: 'camera', id: 'c', event: null })
  return { stream, sources, seen, states, change, last: () => sources.at(-1) as FakeSource, resyncs: () => resyncs }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

it('begins at the greeting and takes each change once', () => {
  const { last, seen, change, resyncs } = setUp()
  expect(last().url).toBe('/api/v1/stream')
  last().say('hello', { seq: 7 })
  expect(resyncs()).toBe(1)
  for (const seq of [7, 8, 8, 9, 8]) last().say('change', change(seq))
  expect(seen).toEqual([8, 9])
})

it('opens a lost link again where it was, without fetching everything', () => {
  const { last, sources, seen, states, change, resyncs } = setUp()
  last().say('hello', { seq: 1 })
  last().say('change', change(2))
  last().dispatchEvent(new Event('error'))
  expect(states.at(-1)).toBe('lost')
  expect(sources[0]?.closed).toBe(true)
  vi.advanceTimersByTime(1_000)
  expect(last().url).toBe('/api/v1/stream?cursor=2')
  last().say('hello', { seq: 2 })
  last().say('change', change(3))
  expect([states.at(-1), seen, resyncs()]).toEqual(['open', [2, 3], 1])
})

it('waits longer after each failure, and fetches everything when its place is not known any more', () => {
  const { last, sources, resyncs } = setUp()
  last().say('hello', { seq: 100 })
  last().dispatchEvent(new Event('error'))
  vi.advanceTimersByTime(1_000)
  last().dispatchEvent(new Event('error'))
  vi.advanceTimersByTime(1_999)
  expect(sources).toHaveLength(2)
  vi.advanceTimersByTime(1)
  expect(sources).toHaveLength(3)
  last().say('hello', { seq: 3 })
  expect(resyncs()).toBe(2)
})

it('stops for good', () => {
  const { stream, sources, last } = setUp()
  last().dispatchEvent(new Event('error'))
  stream.stop()
  vi.advanceTimersByTime(60_000)
  expect(sources).toHaveLength(1)
})
