/** The live socket of the mock: plays the film for ever, with the boxes of the drawn people. */
import type { WebSocket } from 'ws'
import type { OverlayBox } from '../src/ui/player/protocol'
import { moveTo, type Film } from './film'
import { loopSecs, people, sceneHeight, sceneWidth } from './scene'

const analysisFps = 5
const analysisDelaySecs = 0.25
const stepMs = 100

export function overlayAt(time: number): OverlayBox[] {
  return people(time).flatMap((person): OverlayBox[] => [
    { track: person.track, class: 'person', score: 0.91, bbox: person.box, alarm: !person.helmet },
    { track: person.track + 100, class: person.helmet ? 'helmet' : 'head', score: 0.84, bbox: person.head, alarm: false },
  ])
}

/** Streams until the viewer leaves. */
export function playLive(socket: WebSocket, film: Film, state: { state: string; detail: string } | null): void {
  if (state && state.state !== 'online') {
    socket.send(JSON.stringify({ type: 'state', ...state }))
    return
  }
  const clock = () => Date.now() / 1_000
  // A viewer begins at the last key frame; the film has one at each full second.
  const base = Math.floor(clock())
  let sentUntil = base
  let overlaidUntil = base
  socket.send(JSON.stringify({ type: 'init', codec: film.codec, width: sceneWidth, height: sceneHeight, base_pts_us: base * 1_000_000 }))
  socket.send(film.init)
  const timer = setInterval(() => {
    const now = clock()
    for (let at = sentUntil; ; at = sentUntil) {
      const inFilm = Math.round((at % loopSecs) * 10) / 10
      const index = film.fragments.findIndex((fragment) => Math.abs(fragment.start - inFilm) < 0.01)
      const fragment = film.fragments[index]
      if (!fragment) throw new Error(`the film has no fragment at ${inFilm}`)
      const end = at - inFilm + (film.fragments[index + 1]?.start ?? loopSecs)
      if (end > now) break
      socket.send(moveTo(film, fragment, at - base))
      sentUntil = Math.round(end * 10) / 10
    }
    for (; overlaidUntil + 1 / analysisFps <= now - analysisDelaySecs; overlaidUntil += 1 / analysisFps) {
      const time = overlaidUntil
      socket.send(JSON.stringify({ type: 'overlay', pts_us: Math.round(time * 1e6), boxes: overlayAt(time) }))
    }
  }, stepMs)
  socket.on('close', () => clearInterval(timer))
}
