import { Backoff } from '@/lib/backoff'
import { jumpTo, trimRange, type Span } from './live-edge'
import { OverlayTimeline } from './overlay-timeline'
import { mimeType, parseMessage, type InitMessage, type StateMessage } from './protocol'

/** What a viewer is told. `playing` has no words; everything else covers the picture. */
export type PlayerStatus =
  | { kind: 'connecting' }
  | { kind: 'playing' }
  | { kind: 'stream'; state: string; detail: string }
  | { kind: 'silent' }
  | { kind: 'lost' }
  | { kind: 'refused'; error: unknown }
  | { kind: 'codec'; codec: string }

export interface PlayerEvents {
  status: (status: PlayerStatus) => void
  size: (width: number, height: number) => void
}

const silentAfterMs = 6_000
const mostQueuedBytes = 24_000_000

/**
 * One live picture: a socket, a Media Source behind a video element, and the boxes that belong to it.
 *
 * The socket is opened again with growing pauses after any fault; each `init` starts a new Media Source, so
 * that a restarted stream never meets the old one's timeline.
 */
export class LiveSession {
  readonly overlays = new OverlayTimeline()
  private socket: WebSocket | null = null
  private source: MediaSource | null = null
  private buffer: SourceBuffer | null = null
  private objectUrl: string | null = null
  private queue: ArrayBuffer[] = []
  private queuedBytes = 0
  private status: PlayerStatus = { kind: 'connecting' }
  private lastDataAt = 0
  private ended = false
  private retry: ReturnType<typeof setTimeout> | undefined
  private readonly watch: ReturnType<typeof setInterval>
  private readonly backoff = new Backoff()

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly address: () => Promise<string>,
    private readonly events: PlayerEvents,
  ) {
    this.watch = setInterval(() => this.supervise(), 1_000)
    void this.connect()
  }

  end(): void {
    this.ended = true
    clearTimeout(this.retry)
    clearInterval(this.watch)
    this.closeSocket()
    this.dropSource()
  }

  private tell(status: PlayerStatus): void {
    this.status = status
    this.events.status(status)
  }

  private async connect(): Promise<void> {
    if (this.ended) return
    try {
      const url = await this.address()
      if (this.ended) return
      const socket = new WebSocket(url)
      socket.binaryType = 'arraybuffer'
      socket.onmessage = (message: MessageEvent<string | ArrayBuffer>) => this.receive(message.data)
      socket.onclose = () => this.reconnect({ kind: 'lost' })
      this.socket = socket
      this.lastDataAt = performance.now()
    } catch (error) {
      this.reconnect({ kind: 'refused', error })
    }
  }

  private reconnect(because: PlayerStatus): void {
    if (this.ended) return
    this.closeSocket()
    // A fault of the camera that was told before says more than "the connection is gone".
    if (this.status.kind !== 'stream' || because.kind === 'refused') this.tell(because)
    clearTimeout(this.retry)
    this.retry = setTimeout(() => void this.connect(), this.backoff.next())
  }

  private closeSocket(): void {
    if (!this.socket) return
    this.socket.onmessage = null
    this.socket.onclose = null
    this.socket.close()
    this.socket = null
  }

  private receive(data: string | ArrayBuffer): void {
    if (typeof data !== 'string') {
      this.lastDataAt = performance.now()
      this.append(data)
      return
    }
    const message = parseMessage(data)
    if (message?.type === 'init') this.begin(message)
    else if (message?.type === 'overlay') this.overlays.add(message)
    else if (message?.type === 'state') this.streamState(message)
  }

  private streamState(message: StateMessage): void {
    if (message.state === 'online') {
      if (this.status.kind === 'stream') this.tell({ kind: 'connecting' })
    } else {
      this.lastDataAt = performance.now()
      this.tell({ kind: 'stream', state: message.state, detail: message.detail })
    }
  }

  private begin(init: InitMessage): void {
    this.dropSource()
    this.overlays.reset(init.base_pts_us)
    this.events.size(init.width, init.height)
    const type = mimeType(init.codec)
    if (!('MediaSource' in window) || !MediaSource.isTypeSupported(type)) {
      this.tell({ kind: 'codec', codec: init.codec })
      return
    }
    const source = new MediaSource()
    this.source = source
    this.objectUrl = URL.createObjectURL(source)
    source.addEventListener(
      'sourceopen',
      () => {
        if (source !== this.source) return
        this.buffer = source.addSourceBuffer(type)
        this.buffer.addEventListener('updateend', () => this.keepUp())
        this.buffer.addEventListener('error', () => this.restart())
        this.flush()
      },
      { once: true },
    )
    this.video.src = this.objectUrl
    this.video.onerror = () => this.restart()
  }

  private append(bytes: ArrayBuffer): void {
    if (!this.source) return
    this.queue.push(bytes)
    this.queuedBytes += bytes.byteLength
    // The browser takes nothing any more (a hidden tab, a stuck decoder): begin again at a key frame.
    if (this.queuedBytes > mostQueuedBytes) this.restart()
    else this.flush()
  }

  private flush(): void {
    const { buffer } = this
    if (!buffer || buffer.updating || this.source?.readyState !== 'open') return
    const next = this.queue.shift()
    if (!next) return
    this.queuedBytes -= next.byteLength
    try {
      buffer.appendBuffer(next)
    } catch (error) {
      if (error instanceof DOMException && error.name === 'QuotaExceededError') {
        buffer.remove(0, Math.max(0.1, this.video.currentTime - 2))
        this.queue.unshift(next)
        this.queuedBytes += next.byteLength
      } else {
        this.restart()
      }
    }
  }

  private keepUp(): void {
    const { buffer, video } = this
    if (!buffer || !this.source || this.source.readyState !== 'open') return
    const spans: Span[] = []
    for (let i = 0; i < buffer.buffered.length; i += 1) spans.push({ start: buffer.buffered.start(i), end: buffer.buffered.end(i) })
    if (spans.length > 0) {
      const target = jumpTo(video.currentTime, spans)
      if (target !== null) video.currentTime = target
      if (video.paused) video.play().catch(() => undefined)
      if (this.status.kind !== 'playing') {
        this.backoff.reset()
        this.tell({ kind: 'playing' })
      }
    }
    const trim = trimRange(video.currentTime, spans)
    if (trim && !buffer.updating) buffer.remove(trim.start, trim.end)
    else this.flush()
  }

  private supervise(): void {
    const isSilent = performance.now() - this.lastDataAt > silentAfterMs
    if (this.status.kind === 'playing' && isSilent) this.tell({ kind: 'silent' })
    // A player that waits with data in its buffer stands in a hole.
    if (this.buffer && !this.buffer.updating && !isSilent) this.keepUp()
  }

  private restart(): void {
    this.dropSource()
    this.reconnect({ kind: 'lost' })
  }

  private dropSource(): void {
    this.queue = []
    this.queuedBytes = 0
    this.buffer = null
    this.source = null
    this.video.onerror = null
    if (this.objectUrl) {
      URL.revokeObjectURL(this.objectUrl)
      this.objectUrl = null
      this.video.removeAttribute('src')
      this.video.load()
    }
  }
}
