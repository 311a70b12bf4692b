/** The mock's API: the paths of docs/openapi.json over a store in memory. */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ActionInput, BulkInput, Camera, CameraInput, EventDetail, Role, Task, TaskInput, User } from '../src/api/types'
import { edgeId, micros, noParams, siteId, siteName, users } from './fixtures'
import { Refused, cookie, readJson, sendBytes, sendError, sendJson } from './http'
import { precision, statistics } from './reports'
import { Store, algorithms, summary } from './store'

const cookieName = 'gongshao_session'
const sessions = new Map<string, User & { password: string }>()

interface Call {
  request: IncomingMessage
  response: ServerResponse
  url: URL
  user: (User & { password: string }) | undefined
  param: string
}
type Handler = (call: Call) => unknown

export class Backend {
  store: Store
  private readonly streams = new Set<ServerResponse>()
  private isCut = false

  constructor(
    private readonly filmPath: string,
    private readonly history: number,
  ) {
    this.store = new Store(history)
  }

  /** Answers a request; false when the path is not the API's. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const url = new URL(request.url ?? '/', 'http://mock')
    if (!/^\/(api|mock|healthz)(\/|$)/.test(url.pathname)) return false
    try {
      const user = sessions.get(cookie(request, cookieName) ?? '')
      const [handler, param] = this.route(request.method ?? 'GET', url.pathname)
      const body = await handler({ request, response, url, user, param })
      if (!response.headersSent && !response.writableEnded) sendJson(response, body === undefined ? 204 : 200, body)
    } catch (error) {
      sendError(response, error)
    }
    return true
  }

  private route(method: string, path: string): [Handler, string] {
    for (const [rule, handler] of this.routes) {
      const [ruleMethod, rulePath = ''] = rule.split(' ')
      const match = new RegExp(`^${rulePath.replace('{}', '([^/]+)')}$`).exec(path)
      if (ruleMethod === method && match) return [handler, match[1] ?? '']
    }
    throw new Refused(404, 'not_found', `no such path: ${path}`, `没有此路径:${path}`)
  }

  private readonly routes: [string, Handler][] = [
    ['GET /healthz', () => ({ status: 'ok' })],
    ['POST /api/v1/session', (call) => this.signIn(call)],
    ['GET /api/v1/session', (call) => ({ user: shown(signedIn(call)) })],
    ['DELETE /api/v1/session', (call) => void sessions.delete(cookie(call.request, cookieName) ?? '')],
    ['POST /api/v1/session/password', (call) => this.changePassword(call)],
    ['GET /api/v1/algorithms', (call) => signedIn(call) && { items: algorithms }],
    ['GET /api/v1/sites', (call) => signedIn(call) && { items: [{ id: siteId, name: siteName }], next_cursor: null }],
    ['GET /api/v1/cameras', (call) => signedIn(call) && { items: this.store.cameras, next_cursor: null }],
    ['POST /api/v1/cameras', (call) => this.addCamera(call)],
    ['PUT /api/v1/cameras/{}', (call) => this.changeCamera(call)],
    ['DELETE /api/v1/cameras/{}', (call) => this.removeCamera(call)],
    ['POST /api/v1/cameras/{}/live-token', (call) => signedIn(call) && { path: `/live/${call.param}/ws?token=mock`, expires_at: micros() + 60e6 }],
    ['GET /api/v1/tasks', (call) => signedIn(call) && { items: this.store.tasks, next_cursor: null }],
    ['POST /api/v1/tasks', (call) => this.addTask(call)],
    ['PUT /api/v1/tasks/{}', (call) => this.changeTask(call)],
    ['DELETE /api/v1/tasks/{}', (call) => this.removeTask(call)],
    ['GET /api/v1/edges', (call) => signedIn(call) && { items: this.store.edges, next_cursor: null }],
    ['GET /api/v1/events', (call) => this.listEvents(call)],
    ['GET /api/v1/events/counters', (call) => signedIn(call) && this.store.counters()],
    ['GET /api/v1/events/export.csv', (call) => this.exportEvents(call)],
    ['GET /api/v1/events/export.xlsx', (call) => this.exportEvents(call)],
    ['GET /api/v1/events/{}', (call) => signedIn(call) && this.event(call.param)],
    ['POST /api/v1/events/bulk-actions', (call) => this.actOnMany(call)],
    ['POST /api/v1/events/{}/actions', (call) => this.act(call)],
    ['GET /api/v1/reports/precision', (call) => signedIn(call) && precision(this.store.events, call.url.searchParams)],
    ['GET /api/v1/reports/statistics', (call) => signedIn(call) && statistics(this.store.events, call.url.searchParams, 0.97)],
    ['GET /api/v1/evidence/{}', (call) => this.evidence(call)],
    ['GET /api/v1/stream', (call) => this.stream(call)],
    // For tests: the world begins anew, an alert is raised, its clip follows, the change streams break, come back, and have forgotten.
    ['POST /mock/reset', (call) => this.reset(Number(call.url.searchParams.get('history') ?? this.history))],
    ['POST /mock/alert', () => summary(this.store.raise())],
    ['POST /mock/clip/{}', (call) => this.store.finish(this.event(call.param))],
    ['POST /mock/cut', () => this.cut()],
    ['POST /mock/forget', () => this.store.forget()],
    ['POST /mock/mend', () => void (this.isCut = false)],
  ]

  private async signIn({ request, response }: Call) {
    const input = await readJson<{ username: string; password: string }>(request)
    const user = users.find((known) => known.username === input.username && known.password === input.password)
    if (!user) throw new Refused(401, 'bad_credentials', 'The user name or password is wrong.', '用户名或密码错误。')
    const token = randomUUID()
    sessions.set(token, { ...user })
    response.setHeader('set-cookie', `${cookieName}=${token}; HttpOnly; SameSite=Strict; Path=/`)
    return { user: shown(user) }
  }

  private async changePassword(call: Call) {
    const user = signedIn(call)
    const input = await readJson<{ current: string; new: string }>(call.request)
    if (input.current !== user.password) throw new Refused(400, 'invalid', 'The current password is wrong.', '当前密码错误。', 'current')
    if (input.new.length < 8) throw new Refused(400, 'invalid', 'A password needs at least 8 characters.', '密码至少需要 8 个字符。', 'new')
    user.password = input.new
    user.must_change_password = false
    return undefined
  }

  private async addCamera(call: Call) {
    allow(call, 'admin')
    const input = checkCamera(await readJson<CameraInput>(call.request))
    const camera: Camera = { ...cameraFrom(input), id: randomUUID(), version: 1, state: null, created_at: micros() }
    this.store.cameras.push(camera)
    this.store.tell('camera', camera.id)
    return camera
  }

  private async changeCamera(call: Call) {
    allow(call, 'admin')
    const known = pick(this.store.cameras, call.param)
    const input = checkCamera(await readJson<CameraInput>(call.request))
    fresh(input.version, known.version)
    Object.assign(known, cameraFrom(input), { version: known.version + 1 })
    this.store.tell('camera', known.id)
    return known
  }

  private removeCamera(call: Call) {
    allow(call, 'admin')
    const known = pick(this.store.cameras, call.param)
    this.store.cameras = this.store.cameras.filter((camera) => camera !== known)
    this.store.tasks = this.store.tasks.filter((task) => task.camera_id !== known.id)
    this.store.tell('camera', known.id)
    this.store.tell('task', known.id)
  }

  private async addTask(call: Call) {
    allow(call, 'admin')
    const task: Task = { ...this.taskFrom(await readJson<TaskInput>(call.request)), id: randomUUID(), version: 1, created_at: micros() }
    this.store.tasks.push(task)
    this.store.tell('task', task.id)
    return task
  }

  private async changeTask(call: Call) {
    allow(call, 'admin')
    const known = pick(this.store.tasks, call.param)
    const input = await readJson<TaskInput>(call.request)
    fresh(input.version, known.version)
    Object.assign(known, this.taskFrom(input), { version: known.version + 1 })
    this.store.tell('task', known.id)
    return known
  }

  private removeTask(call: Call) {
    allow(call, 'admin')
    const known = pick(this.store.tasks, call.param)
    this.store.tasks = this.store.tasks.filter((task) => task !== known)
    this.store.tell('task', known.id)
  }

  private taskFrom(input: TaskInput): Omit<Task, 'id' | 'version' | 'created_at'> {
    const algorithm = algorithms.find((known) => known.id === input.algorithm)
    const camera = this.store.cameras.find((known) => known.id === input.camera_id)
    if (!algorithm || !camera) throw new Refused(400, 'invalid', 'Choose a camera.', '请选择摄像头。', 'camera_id')
    if (input.name.trim() === '') throw new Refused(400, 'invalid', 'A task needs a name of 1 to 100 characters.', '任务名称需要 1 到 100 个字符。', 'name')
    const params = input.params ?? noParams
    const given = Object.fromEntries(Object.entries(params).filter(([, value]) => value !== null))
    return {
      camera_id: camera.id,
      camera_name: camera.name,
      algorithm: algorithm.id,
      name: input.name,
      enabled: input.enabled ?? true,
      zones: input.zones ?? [],
      lines: input.lines ?? [],
      mutes: input.mutes ?? [],
      reference: input.reference ?? null,
      schedule: input.schedule ?? { utc_offset_minutes: 480, spans: [], holidays: [] },
      params,
      effective_params: { ...algorithm.defaults, ...given },
      severity: input.severity ?? null,
      effective_severity: input.severity ?? algorithm.default_severity,
      running: input.enabled ?? true,
      refusal: null,
      updated_at: micros(),
    }
  }

  /** The events that a query asks for, newest first. */
  private wanted(query: URLSearchParams): EventDetail[] {
    const among = (key: string, value: string) => !query.get(key) || (query.get(key) ?? '').split(',').includes(value)
    const text = (query.get('q') ?? '').toLowerCase()
    const from = Number(query.get('from') ?? 0)
    const to = Number(query.get('to') ?? Infinity)
    return this.store.newest().filter(
      (event) =>
        among('states', event.state) &&
        among('severities', event.severity) &&
        among('algorithms', event.algorithm) &&
        among('site_id', event.site_id) &&
        among('camera_id', event.camera_id) &&
        event.decided_at >= from &&
        event.decided_at < to &&
        (text === '' || [event.camera_name, event.site_name, event.zone ?? '', ...event.history.map((entry) => entry.remark ?? '')].some((field) => field.toLowerCase().includes(text))),
    )
  }

  private listEvents(call: Call) {
    signedIn(call)
    const query = call.url.searchParams
    const limit = Math.min(200, Number(query.get('limit') ?? 50))
    const matching = this.wanted(query)
    const cursor = query.get('cursor')
    const start = cursor ? matching.findIndex((event) => event.id === cursor) + 1 : 0
    const items = matching.slice(start, start + limit)
    return { items: items.map(summary), next_cursor: start + limit < matching.length ? (items.at(-1)?.id ?? null) : null }
  }

  /** CSV in either case: the mock writes no spreadsheets. */
  private exportEvents(call: Call) {
    signedIn(call)
    const rows = this.wanted(call.url.searchParams).map((event) => [event.id, event.algorithm, event.site_name, new Date(event.decided_at / 1_000).toISOString(), event.state].join(','))
    const format = call.url.pathname.endsWith('xlsx') ? 'xlsx' : 'csv'
    call.response.setHeader('content-disposition', `attachment; filename="events.${format}"`)
    sendBytes(call.request, call.response, 'text/csv; charset=utf-8', Buffer.from(`\uFEFF${rows.join('\r\n')}\r\n`))
  }

  private async actOnMany(call: Call) {
    const user = allow(call, 'admin', 'supervisor')
    const input = await readJson<BulkInput>(call.request)
    if (input.items.length > 200) throw new Refused(400, 'invalid', 'At most 200 at once.', '一次最多处理 200 条。', 'items')
    const items = input.items.map((item) => {
      try {
        const event = this.event(item.id)
        fresh(item.version, event.version)
        this.take(event, { ...input, version: item.version }, user)
        return { id: item.id, ok: true, state: event.state, version: event.version, error: null }
      } catch (error) {
        if (!(error instanceof Refused)) throw error
        return { id: item.id, ok: false, state: null, version: null, error: { code: error.code, message: error.message, message_zh: error.messageZh, field: error.field } }
      }
    })
    return { items }
  }

  private event(id: string): EventDetail {
    return pick(this.store.events, id)
  }

  private async act(call: Call) {
    const user = allow(call, 'admin', 'supervisor')
    const event = this.event(call.param)
    const input = await readJson<ActionInput>(call.request)
    fresh(input.version, event.version)
    this.take(event, input, user)
    return event
  }

  private take(event: EventDetail, input: ActionInput, user: User): void {
    if (input.action === 'false_alarm' && !input.reason) throw new Refused(400, 'invalid', 'Say why it is a false alarm.', '请选择误报原因。', 'reason')
    if (!this.store.act(event, input.action, user, input.reason ?? null, input.remark ?? null)) {
      throw new Refused(409, 'conflict', 'This step is not possible now.', '当前状态不能执行此操作。')
    }
  }

  private evidence(call: Call) {
    signedIn(call)
    const content = this.store.evidence.get(call.param)
    if (content === undefined) throw new Refused(404, 'not_found', 'no such evidence', '没有此证据')
    if (content === null) sendBytes(call.request, call.response, 'video/mp4', readFileSync(this.filmPath))
    else sendBytes(call.request, call.response, 'image/svg+xml', Buffer.from(content()))
  }

  private reset(history: number): void {
    this.isCut = false
    this.store = new Store(history)
  }

  private cut(): void {
    this.isCut = true
    this.streams.forEach((response) => response.destroy())
  }

  private stream(call: Call) {
    signedIn(call)
    if (this.isCut) throw new Refused(503, 'unavailable', 'The stream is cut.', '数据流已中断。')
    const { request, response, url } = call
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    const asked = Number(request.headers['last-event-id'] ?? url.searchParams.get('cursor') ?? NaN)
    const missed = this.store.after(asked)
    response.write(`event: hello\ndata: ${JSON.stringify({ seq: missed ? asked : this.store.seq })}\n\n`)
    const send = (change: { seq: number }) => response.write(`id: ${change.seq}\nevent: change\ndata: ${JSON.stringify(change)}\n\n`)
    missed?.forEach(send)
    const stop = this.store.subscribe(send)
    const alive = setInterval(() => response.write(': alive\n\n'), 10_000)
    this.streams.add(response)
    request.on('close', () => {
      this.streams.delete(response)
      stop()
      clearInterval(alive)
    })
  }
}

const shown = ({ password, ...user }: User & { password: string }): User => (void password, user)

function signedIn(call: Call): User & { password: string } {
  if (!call.user) throw new Refused(401, 'unauthenticated', 'Sign in first.', '请先登录。')
  return call.user
}

function allow(call: Call, ...roles: Role[]): User {
  const user = signedIn(call)
  if (!roles.includes(user.role)) throw new Refused(403, 'forbidden', 'Your account has no permission for this.', '您的账号没有此权限。')
  if (call.request.headers['x-requested-with'] !== 'gongshao') throw new Refused(403, 'forbidden', 'The header x-requested-with is missing.', '缺少请求头 x-requested-with。')
  return user
}

function pick<T extends { id: string }>(rows: T[], id: string): T {
  const row = rows.find((candidate) => candidate.id === id)
  if (!row) throw new Refused(404, 'not_found', 'It is not there any more.', '内容已不存在。')
  return row
}

function fresh(given: number | null | undefined, current: number): void {
  if (given !== current) throw new Refused(409, 'conflict', 'It was changed in the meantime.', '内容已被他人修改。')
}

function checkCamera(input: CameraInput): CameraInput {
  if (input.name.trim() === '') throw new Refused(400, 'invalid', 'A camera needs a name of 1 to 100 characters.', '摄像头名称需要 1 到 100 个字符。', 'name')
  if (!/^rtsps?:\/\/[^/@]+/.test(input.url)) throw new Refused(400, 'invalid', 'Cameras are pulled by rtsp:// or rtsps://.', '摄像头地址需要以 rtsp:// 或 rtsps:// 开头。', 'url')
  return input
}

function cameraFrom(input: CameraInput): Omit<Camera, 'id' | 'version' | 'state' | 'created_at'> {
  return {
    site_id: siteId,
    site_name: siteName,
    edge_id: input.edge_id ?? edgeId,
    name: input.name,
    url: input.url,
    username: input.username ?? null,
    has_password: Boolean(input.password),
    transport: input.transport ?? 'tcp',
    updated_at: micros(),
  }
}
