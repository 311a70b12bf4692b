import { Backoff } from '@/lib/backoff'
import type { Change } from './types'

export type LinkState = 'connecting' | 'open' | 'lost'

export interface StreamHandlers {
  change: (change: Change) => void
  state: (state: LinkState) => void
  /** What was fetched before may miss changes: fetch again. */
  resync: () => void
}

/** The part of `EventSource` that is used; tests bring their own. */
export interface Source {
  addEventListener(type: string, listener: (event: Event) => void): void
  close(): void
}

/**
 * Follows the server's changes. A lost link is opened again at the last sequence number seen, so a change
 * is late, never missed; a change that comes twice is dropped.
 */
export class ChangeStream {
  private source: Source | null = null
  private cursor: number | null = null
  private timer: ReturnType<typeof setTimeout> | undefined
  private readonly backoff: Backoff

  constructor(
    private readonly handlers: StreamHandlers,
    private readonly open: (url: string) => Source = (url) => new EventSource(url),
    backoff = new Backoff(),
  ) {
    this.backoff = backoff
  }

  start(): void {
    this.handlers.state('connecting')
    this.connect()
  }

  stop(): void {
    clearTimeout(this.timer)
    this.source?.close()
    this.source = null
  }

  /** Tries at once, e.g. when the browser is back online. */
  retryNow(): void {
    if (this.timer === undefined) return
    clearTimeout(this.timer)
    this.timer = undefined
    this.connect()
  }

  private connect(): void {
    const source = this.open(this.cursor === null ? '/api/v1/stream' : `/api/v1/stream?cursor=${this.cursor}`)
    this.source = source
    source.addEventListener('hello', (message) => this.hello(message as MessageEvent<string>))
    source.addEventListener('change', (message) => this.change(message as MessageEvent<string>))
    source.addEventListener('error', () => this.lost(source))
  }

  private hello(message: MessageEvent<string>): void {
    const { seq } = JSON.parse(message.data) as { seq: number }
    this.backoff.reset()
    this.handlers.state('open')
    // The first greeting comes after the first lists were asked for, and another number than ours means that
    // ours is too old or of another history: both leave a gap that only fetching closes.
    if (seq !== this.cursor) {
      this.cursor = seq
      this.handlers.resync()
    }
  }

  private change(message: MessageEvent<string>): void {
    const change = JSON.parse(message.data) as Change
    if (this.cursor !== null && change.seq <= this.cursor) return
    this.cursor = change.seq
    this.handlers.change(change)
  }

  private lost(source: Source): void {
    if (source !== this.source) return
    // EventSource gives up for good on an HTTP error, so the retrying is ours.
    source.close()
    this.source = null
    this.handlers.state('lost')
    this.timer = setTimeout(() => {
      this.timer = undefined
      this.connect()
    }, this.backoff.next())
  }
}
