import { describe, expect, it } from 'vitest'
import { holdSecs, OverlayTimeline } from './overlay-timeline'
import type { OverlayBox } from './protocol'

const box = (x: number, track = 1): OverlayBox => ({ track, class: 'person', score: 0.9, bbox: { x, y: 0.5, w: 0.1, h: 0.2 }, alarm: false })
const base = 50_000_000
const at = (secs: number, boxes: OverlayBox[]) => ({ type: 'overlay' as const, pts_us: base + secs * 1e6, boxes })

function timeline(...overlays: [number, OverlayBox[]][]) {
  const made = new OverlayTimeline()
  made.reset(base)
  for (const [secs, boxes] of overlays) made.add(at(secs, boxes))
  return made
}
const xs = (boxes: OverlayBox[]) => boxes.map((found) => Number(found.bbox.x.toFixed(3)))

describe('boxes over live video', () => {
  it('shows nothing before the first and the boxes of the frame at its time', () => {
    const made = timeline([1, [box(0.1)]])
    expect(made.at(0.9)).toEqual([])
    expect(xs(made.at(1))).toEqual([0.1])
  })

  it('moves a track between two analysed frames', () => {
    const made = timeline([1, [box(0.1)]], [1.2, [box(0.3)]])
    expect(xs(made.at(1.1))).toEqual([0.2])
  })

  it('does not move what is not tracked, nor across a long gap', () => {
    expect(xs(timeline([1, [box(0.1, 0)]], [1.2, [box(0.3, 0)]]).at(1.1))).toEqual([0.1])
    expect(xs(timeline([1, [box(0.1)]], [2, [box(0.3)]]).at(1.5))).toEqual([0.1])
  })

  it('lets boxes go when none follow', () => {
    const made = timeline([1, [box(0.1)]])
    expect(made.at(1 + holdSecs - 0.01)).toHaveLength(1)
    expect(made.at(1 + holdSecs + 0.01)).toEqual([])
  })

  it('sorts messages that come late and replaces one that comes twice', () => {
    const made = timeline([2, [box(0.5)]], [1.8, [box(0.1)]], [1.8, [box(0.3)]])
    expect(xs(made.at(1.8))).toEqual([0.3])
    expect(xs(made.at(1.9))).toEqual([0.4])
  })

  it('forgets the old clock when the stream starts anew', () => {
    const made = timeline([1, [box(0.1)]])
    made.reset(base + 10_000_000)
    expect(made.at(1)).toEqual([])
    made.add(at(11, [box(0.7)]))
    expect(xs(made.at(1))).toEqual([0.7])
  })

  it('stays small', () => {
    const made = timeline(...Array.from({ length: 500 }, (_, i): [number, OverlayBox[]] => [i / 5, [box(0.1)]]))
    expect(made.at(10)).toEqual([])
    expect(made.at(99.8)).toHaveLength(1)
  })
})
