/** Puts the mock behind Vite's development and preview servers. */
import type { Server } from 'node:http'
import { join } from 'node:path'
import type { Connect, Plugin } from 'vite'
import { WebSocketServer } from 'ws'
import { Backend } from './backend'
import { readFilm } from './film'
import { playLive } from './live'

interface Options {
  /** Events at the start. */
  history: number
  /** A new alert after each such span; 0 for none. */
  alertEveryMs: number
}

const defaults: Options = { history: 60, alertEveryMs: Number(process.env.MOCK_ALERT_EVERY_MS ?? 15_000) }

/** A clip reaches five seconds past the decision. */
const clipAfterMs = 6_000

export function mockBackend(options: Partial<Options> = {}): Plugin {
  const { history, alertEveryMs } = { ...defaults, ...options }

  function attach(root: string, middlewares: Connect.Server, server: Server | null) {
    // Vite bundles its configuration, so a path relative to this module would not do.
    const filmPath = join(root, 'mock/film.mp4')
    const backend = new Backend(filmPath, history)
    middlewares.use((request, response, next) => {
      backend.handle(request, response).then((handled) => {
        if (!handled) next()
      }, next)
    })
    const raise = () => {
      const { store } = backend
      const event = store.raise()
      setTimeout(() => store.finish(event), clipAfterMs).unref()
    }
    if (alertEveryMs > 0) setInterval(raise, alertEveryMs).unref()
    const film = readFilm(filmPath)
    const sockets = new WebSocketServer({ noServer: true })
    server?.on('upgrade', (request, socket, head) => {
      const camera = /^\/live\/([^/]+)\/ws/.exec(request.url ?? '')?.[1]
      if (camera === undefined) return
      const state = backend.store.cameras.find((known) => known.id === camera)?.state ?? null
      sockets.handleUpgrade(request, socket, head, (viewer) => playLive(viewer, film, state))
    })
  }

  return {
    name: 'gongshao-mock',
    configureServer: (server) => attach(server.config.root, server.middlewares, server.httpServer as Server | null),
    configurePreviewServer: (server) => attach(server.config.root, server.middlewares, server.httpServer as Server),
  }
}
