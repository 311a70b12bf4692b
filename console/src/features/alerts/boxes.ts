import type { TimedBox } from '@/api/types'
import type { MarkedBox } from '@/ui/geometry'

/** What to draw for the boxes of an event: the subject stands out, helmets are good, the rest is context. */
export function markBoxes(boxes: readonly TimedBox[], className: (name: string) => string): MarkedBox[] {
  return boxes
    .map((box, index): MarkedBox => {
      const tone = box.subject ? 'subject' : box.class === 'helmet' ? 'safe' : 'context'
      const label = box.subject ? `${className(box.class)} ${Math.round(box.score * 100)}%` : ''
      return { key: `${index}`, rect: box.bbox, label, tone }
    })
    .sort((a, b) => Number(a.tone === 'subject') - Number(b.tone === 'subject'))
}
