/** The state of the mock and its change log. */
import { createHash } from 'node:crypto'
import type { AlgorithmId, Camera, Change, Edge, EventAction, EventDetail, EventState, EventSummary, FalseAlarmReason, Task, TimedBox, User } from '../src/api/types'
import { algorithms, makeCameras, makeEdges, makeTasks, micros, siteId, siteName } from './fixtures'
import { possible, step } from './lifecycle'
import { loopSecs, people, picture, sceneHeight, sceneWidth } from './scene'

interface Undoable {
  username: string
  from: EventState
}

export class Store {
  cameras: Camera[] = makeCameras()
  tasks: Task[] = makeTasks(this.cameras)
  edges: Edge[] = makeEdges(this.cameras, this.tasks)
  events: EventDetail[] = []
  /** Evidence by hash: how to draw a picture, or null for the film. */
  readonly evidence = new Map<string, (() => string) | null>()
  private readonly undoable = new Map<string, Undoable>()
  private log: Change[] = []
  /** Number of the newest change. */
  seq = 0
  private readonly listeners = new Set<(change: Change) => void>()
  private raised = 0

  constructor(history = 60) {
    for (let i = history; i > 0; i -= 1) {
      const event = this.compose(micros() - i * 97e6 - Math.min(i, 100) * i * 2e6, i % 9 !== 0)
      if (i > history * 0.6 && history <= 1_000) {
        event.state = (['confirmed', 'false_alarm', 'closed', 'dispatched', 'ignored'] as const)[i % 5] ?? 'closed'
        event.actions = possible(event.state)
      }
    }
  }

  /** The changes since a sequence number, or null when the log does not reach back that far. */
  after(cursor: number): Change[] | null {
    const oldest = this.seq - this.log.length
    return cursor >= oldest && cursor <= this.seq ? this.log.slice(cursor - oldest) : null
  }

  /** Drops the log, as a server does with changes too old to keep. */
  forget(): void {
    this.log = []
  }

  subscribe(listener: (change: Change) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  tell(kind: Change['kind'], id: string, event: EventSummary | null = null): void {
    this.seq += 1
    const change: Change = { seq: this.seq, kind, id, event }
    this.log.push(change)
    this.listeners.forEach((listener) => listener(change))
  }

  /** Raises an event now, as yet without its clip. */
  raise(): EventDetail {
    const event = this.compose(micros(), false)
    this.tell('event', event.id, summary(event))
    return event
  }

  /** Adds the clip, as the edge does when the seconds after the decision have passed. */
  finish(event: EventDetail): void {
    this.addClip(event)
    event.phase = 'update'
    event.revision += 1
    event.version += 1
    this.tell('event', event.id, summary(event))
  }

  act(event: EventDetail, action: EventAction, user: User, reason: FalseAlarmReason | null, remark: string | null): boolean {
    const last = this.undoable.get(event.id)
    const undoing = action === 'undo' && last?.username === user.username
    const to = undoing ? last.from : step(event.state, action)
    if (to === null || to === undefined) return false
    event.history.push({ at: micros(), username: user.username, action, from_state: event.state, to_state: to, reason, remark })
    if (undoing) this.undoable.delete(event.id)
    else this.undoable.set(event.id, { username: user.username, from: event.state })
    event.state = to
    event.version += 1
    event.actions = [...possible(to), ...(undoing ? [] : (['undo'] as const))]
    this.tell('event', event.id, summary(event))
    return true
  }

  /** Newest first. */
  newest(): EventDetail[] {
    return this.events.toSorted((a, b) => b.decided_at - a.decided_at || (a.id < b.id ? 1 : -1))
  }

  counters() {
    const count = <T extends string>(of: (event: EventDetail) => T) => {
      const sum: Record<string, number> = {}
      for (const event of this.events) sum[of(event)] = (sum[of(event)] ?? 0) + 1
      return sum
    }
    return { by_state: count((event) => event.state), by_algorithm: count((event) => event.algorithm), today: this.events.length }
  }

  private addClip(event: EventDetail): void {
    const hash = this.keep(`film ${event.id}`, null)
    event.clip = { url: `/api/v1/evidence/${hash}`, available: true, duration_ms: loopSecs * 1_000, starts_at: event.decided_at - 5e6 }
  }

  private keep(name: string, content: (() => string) | null): string {
    const hash = createHash('sha256').update(name).digest('hex')
    this.evidence.set(hash, content)
    return hash
  }

  private compose(decidedAt: number, withClip: boolean): EventDetail {
    const n = this.raised
    this.raised += 1
    const running = this.tasks.filter((task) => task.running)
    const task = running[n % running.length] ?? this.tasks[0]
    if (!task) throw new Error('the mock needs a task to raise an event')
    const moment = (n * 1.7) % loopSecs
    const variant = this.cameras.findIndex((camera) => camera.id === task.camera_id)
    const id = `0190b000-0000-7000-8000-${String(n).padStart(12, '0')}`
    const hash = this.keep(`picture ${id}`, () => picture(moment, variant))
    // As the server groups: the same subject at the same place within ten minutes.
    const near = this.events.find(
      (other) => other.camera_id === task.camera_id && other.algorithm === task.algorithm && Math.abs(other.decided_at - decidedAt) <= 600e6,
    )
    const event: EventDetail = {
      id,
      algorithm: task.algorithm,
      camera_id: task.camera_id,
      camera_name: task.camera_name,
      site_id: siteId,
      site_name: siteName,
      severity: task.effective_severity,
      state: 'pending',
      phase: 'new',
      zone: task.zones[0]?.name ?? null,
      started_at: decidedAt - 2.4e6,
      decided_at: decidedAt,
      ended_at: withClip ? decidedAt + 21e6 : null,
      received_at: decidedAt + 120_000,
      score: 0.72 + (n % 5) * 0.05,
      revision: withClip ? 3 : 1,
      version: 1,
      snapshot: { url: `/api/v1/evidence/${hash}`, width: sceneWidth, height: sceneHeight, available: true },
      clip: null,
      number: `SJ-${n}`,
      group_id: near?.group_id ?? id,
      group_count: 1,
      note_count: 0,
      overdue_level: 0,
      light: null,
      appeal: null,
      assignee_id: null,
      assignee_name: null,
      due_at: null,
      duplicate_of: null,
      notes: [],
      can_appeal: false,
      can_decide_appeal: false,
      task_id: task.id,
      task_name: task.name,
      generation: 14,
      model: { name: 'site-ppe', version: '0.1.0' },
      track: task.algorithm === 'crowd' ? null : 2,
      boxes: boxesAt(moment, decidedAt, task.algorithm),
      path: [],
      why: {
        votes_for: 4,
        votes_against: 1,
        votes_needed: 3,
        votes_window: 5,
        lasted_secs: 2.4,
        dwell_secs: task.effective_params.dwell_secs,
        people: task.algorithm === 'crowd' ? 5 : 0,
        people_needed: task.algorithm === 'crowd' ? 4 : 0,
        measures: [],
      },
      evidence: [],
      history: [],
      actions: possible('pending'),
    }
    if (withClip) this.addClip(event)
    this.events.push(event)
    return event
  }
}

function boxesAt(moment: number, at: number, algorithm: AlgorithmId): TimedBox[] {
  return people(moment).flatMap((person): TimedBox[] => {
    const isSubject = algorithm === 'crowd' || (algorithm === 'no_helmet' ? false : person.track === 2)
    return [
      { at, class: 'person', score: 0.92, bbox: person.box, track: person.track, subject: isSubject },
      { at, class: person.helmet ? 'helmet' : 'head', score: 0.84, bbox: person.head, track: null, subject: algorithm === 'no_helmet' && !person.helmet },
    ]
  })
}

/** The part of an event that lists and the stream carry. */
export function summary(event: EventDetail): EventSummary {
  const { task_id, task_name, generation, model, track, boxes, path, why, evidence, history, actions, ...rest } = event
  void [task_id, task_name, generation, model, track, boxes, path, why, evidence, history, actions]
  return rest
}

export { algorithms }
