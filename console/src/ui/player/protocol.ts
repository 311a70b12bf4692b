import type { Rect } from '../geometry'

/** A box over live video, as the gateway sends it. */
export interface OverlayBox {
  track: number
  class: string
  score: number
  bbox: Rect
  alarm: boolean
}

export interface InitMessage {
  type: 'init'
  codec: string
  width: number
  height: number
  /** Media time 0 of what follows, on the clock of the overlays. */
  base_pts_us: number
}

export interface OverlayMessage {
  type: 'overlay'
  pts_us: number
  boxes: OverlayBox[]
}

export interface StateMessage {
  type: 'state'
  state: string
  detail: string
}

export type TextMessage = InitMessage | OverlayMessage | StateMessage

/** Reads a text message; null for one that this version does not know. */
export function parseMessage(text: string): TextMessage | null {
  try {
    const message = JSON.parse(text) as { type?: unknown }
    return message.type === 'init' || message.type === 'overlay' || message.type === 'state' ? (message as TextMessage) : null
  } catch {
    return null
  }
}

/** The MIME type to ask Media Source for. */
export const mimeType = (codec: string) => `video/mp4; codecs="${codec}"`
