import type { OverlayBox, OverlayMessage } from './protocol'

/** How long boxes stay when no newer ones come: analysis samples frames and is a little behind the picture. */
export const holdSecs = 0.7
/** The widest gap over which a track is moved smoothly. */
const bridgeSecs = 0.6
const most = 64

interface Entry {
  time: number
  boxes: OverlayBox[]
}

const mix = (a: number, b: number, share: number) => a + (b - a) * share

/** The overlays of the last seconds on the media clock: answers which boxes belong to the shown frame. */
export class OverlayTimeline {
  private entries: Entry[] = []
  private basePtsUs = 0

  /** A new stream: what was known belongs to the old clock. */
  reset(basePtsUs: number): void {
    this.entries = []
    this.basePtsUs = basePtsUs
  }

  add(message: OverlayMessage): void {
    const time = (message.pts_us - this.basePtsUs) / 1e6
    const entry = { time, boxes: message.boxes }
    const at = this.entries.findLastIndex((known) => known.time <= time)
    if (this.entries[at]?.time === time) this.entries[at] = entry
    else this.entries.splice(at + 1, 0, entry)
    if (this.entries.length > most) this.entries.splice(0, this.entries.length - most)
  }

  /** The boxes at media time `time`, tracks moved between the analysed frames around it. */
  at(time: number): OverlayBox[] {
    const index = this.entries.findLastIndex((entry) => entry.time <= time)
    const before = this.entries[index]
    const after = this.entries[index + 1]
    if (!before || time - before.time > holdSecs) return []
    if (!after || after.time - before.time > bridgeSecs) return before.boxes
    const share = (time - before.time) / (after.time - before.time)
    return before.boxes.map((box) => {
      const next = box.track === 0 ? undefined : after.boxes.find((candidate) => candidate.track === box.track)
      if (!next) return box
      const bbox = {
        x: mix(box.bbox.x, next.bbox.x, share),
        y: mix(box.bbox.y, next.bbox.y, share),
        w: mix(box.bbox.w, next.bbox.w, share),
        h: mix(box.bbox.h, next.bbox.h, share),
      }
      return { ...box, bbox }
    })
  }
}
