/** What the mock starts with. Names and numbers are invented. */
import type { Algorithm, AlgorithmId, Camera, CameraState, Edge, FullParams, Params, Severity, StreamState, Task, User } from '../src/api/types'

export const siteId = '0190a000-0000-7000-8000-000000000001'
export const siteName = '示范工地'
export const edgeId = '0190a000-0000-7000-8000-0000000000e1'

const id = (kind: string, n: number) => `0190a000-0000-7000-8000-${kind}${String(n).padStart(12 - kind.length, '0')}`
export const micros = () => Date.now() * 1_000

export const users: (User & { password: string })[] = [
  { id: id('a', 1), username: 'admin', role: 'admin', must_change_password: true, password: 'gongshao' },
  { id: id('a', 2), username: 'zhiban', role: 'supervisor', must_change_password: false, password: 'gongshao' },
  { id: id('a', 3), username: 'kan', role: 'viewer', must_change_password: false, password: 'gongshao' },
]

const base = {
  min_score: 0.4,
  min_target_px: 40,
  votes_needed: 3,
  votes_window: 5,
  dwell_secs: 2,
  cool_down_secs: 600,
  task_cool_down_secs: 0,
  crowd_size: 4,
  sample_fps: 5,
  camera_cool_down_secs: 0,
  overlap: 'foot_point',
  min_overlap: 0.3,
  share_needed: 0.1,
  layers_max: 4,
  reach: 1,
  smoke_dwell_secs: 10,
} as FullParams
export const noParams = {} as Params

/** Every algorithm, with the defaults that differ. */
const rows: [id: string, zh: string, en: string, requirement: string, severity: Severity, differs?: object][] = [
  ['no_helmet', '未戴安全帽', 'No helmet', 'A0', 'orange'],
  ['intrusion', '人员非法进出', 'Intrusion', 'A0', 'red', { dwell_secs: 1 }],
  ['crowd', '人员聚集', 'Crowd', 'A0', 'yellow', { dwell_secs: 5, cool_down_secs: 300 }],
  ['fence_missing', '围挡缺失', 'Fence missing', 'A0', 'orange', { dwell_secs: 60, sample_fps: 0.1 }],
  ['no_harness', '未系安全带', 'No safety harness', 'A0', 'red', { votes_needed: 4, votes_window: 6, dwell_secs: 3 }],
  ['occupant_no_helmet', '驾乘人员未戴安全帽', 'No helmet at a vehicle', 'A1', 'orange', { dwell_secs: 3 }],
  ['large_material', '携带大型物资出入', 'Large material carried', 'A2', 'yellow', { dwell_secs: 1, reach: 0.5 }],
  ['no_life_jacket', '未穿救生衣', 'No life jacket', 'A3', 'orange', { dwell_secs: 3 }],
  ['e_bike', '电瓶车进入作业区', 'Scooter in the work zone', 'A4', 'orange', { dwell_secs: 1 }],
  ['construction_vehicle', '工程车辆', 'Construction vehicle', 'A5', 'yellow', { sample_fps: 2 }],
  ['edge_protection', '临边防护缺失', 'Edge protection missing', 'A6', 'red', { dwell_secs: 60, sample_fps: 0.1 }],
  ['fire_smoke', '烟火', 'Fire or smoke', 'A7', 'red', { dwell_secs: 3, sample_fps: 1 }],
  ['ponding', '积水', 'Ponding water', 'A8', 'yellow', { dwell_secs: 20, sample_fps: 0.1 }],
  ['segment_stack', '管片堆叠过高', 'Segments stacked too high', 'A9', 'orange', { dwell_secs: 20, sample_fps: 0.1 }],
  ['overhang', '脚手架物件悬挑', 'Overhang on a scaffold', 'A10', 'red', { dwell_secs: 60, sample_fps: 0.1 }],
  ['special_vehicle', '特殊车辆', 'Special vehicle', 'A11', 'yellow', { sample_fps: 2 }],
  ['picture_quality', '画面质量异常', 'Picture quality', 'A12', 'yellow', { dwell_secs: 3_600, sample_fps: 0.1 }],
]
export const algorithms: Algorithm[] = rows.map(([id, name_zh, name_en, requirement, default_severity, differs]) => ({
  id: id as AlgorithmId,
  name_zh,
  name_en,
  requirement,
  default_severity,
  defaults: { ...base, ...differs },
}))

function cameraState(state: StreamState, detail = ''): CameraState {
  const online = state === 'online'
  return {
    state,
    detail,
    since: micros() - 3_600e6,
    fps: online ? 25 : 0,
    kbps: online ? 2_140 : 0,
    analysed_fps: online ? 5 : 0,
    reconnects: online ? 0 : 7,
    lost_packets: 0,
    width: online ? 1280 : 0,
    height: online ? 720 : 0,
    codec: online ? 'h264' : '',
  }
}

export function makeCameras(): Camera[] {
  const rows: [string, StreamState, string][] = [
    ['东门出入口', 'online', ''],
    ['塔吊作业区', 'online', ''],
    ['基坑北侧', 'online', ''],
    ['钢筋加工棚', 'unauthorised', 'the camera refuses the user name or password (401)'],
  ]
  return rows.map(([name, state, detail], i) => ({
    id: id('c', i + 1),
    site_id: siteId,
    site_name: siteName,
    edge_id: edgeId,
    name,
    url: `rtsp://192.0.2.${10 + i}:554/Streaming/Channels/101`,
    username: 'operator',
    has_password: true,
    transport: i === 2 ? 'udp' : 'tcp',
    version: 1,
    state: cameraState(state, detail),
    created_at: micros() - 86_400e6 * 3,
    updated_at: micros() - 86_400e6,
  }))
}

export function makeTasks(cameras: Camera[]): Task[] {
  const rows: [number, AlgorithmId, string, string | null][] = [
    [0, 'no_helmet', '东门安全帽', null],
    [0, 'intrusion', '东门越界', null],
    [1, 'intrusion', '塔吊回转区', null],
    [2, 'crowd', '基坑聚集', null],
    [3, 'no_helmet', '加工棚安全帽', '摄像头尚未连接,任务暂不能运行'],
  ]
  return rows.map(([camera, algorithm, name, refusal], i) => {
    const defaults = algorithms.find((known) => known.id === algorithm)
    return {
      id: id('d', i + 1),
      camera_id: cameras[camera]?.id ?? '',
      camera_name: cameras[camera]?.name ?? '',
      algorithm,
      name,
      enabled: true,
      zones:
        algorithm === 'no_helmet'
          ? []
          : [{ name: algorithm === 'crowd' ? '通道' : '禁入区', kind: 'include', min_score: null, points: [{ x: 0.38, y: 0.52 }, { x: 0.72, y: 0.5 }, { x: 0.76, y: 0.9 }, { x: 0.36, y: 0.92 }] }],
      lines: [],
      mutes: [],
      reference: null,
      schedule: { utc_offset_minutes: 480, spans: [], holidays: [] },
      params: noParams,
      effective_params: defaults?.defaults ?? base,
      severity: null,
      effective_severity: defaults?.default_severity ?? 'yellow',
      version: 1,
      running: refusal === null,
      refusal,
      created_at: micros() - 86_400e6 * 2,
      updated_at: micros() - 86_400e6,
    }
  })
}

export function makeEdges(cameras: Camera[], tasks: Task[]): Edge[] {
  const refused = tasks.filter((task) => task.refusal !== null)
  return [
    {
      id: edgeId,
      name: '工地边缘盒 1 号',
      site_id: siteId,
      online: true,
      last_seen_at: micros(),
      desired_generation: 14,
      reported_generation: 14,
      refusals: refused.map((task) => ({ camera_id: null, task_id: task.id, reason: task.refusal ?? '' })),
      health: {
        at: micros(),
        version: '0.1.0',
        uptime_secs: 264_300,
        memory_bytes: 612e6,
        disk_free_bytes: 84.2e9,
        outbox_events: 0,
        outbox_evidence_bytes: 0,
        dropped_evidence: 0,
        inference: { model: 'site-ppe 0.1.0', provider: 'cpu', precision: 'fp32', fps: 14.6, latency_ms: 38.4 },
        warnings: [],
      },
    },
    {
      id: '0190a000-0000-7000-8000-0000000000e2',
      name: '生活区边缘盒',
      site_id: siteId,
      online: false,
      last_seen_at: micros() - 5_400e6,
      desired_generation: 9,
      reported_generation: 8,
      refusals: [],
      health: {
        at: micros() - 5_400e6,
        version: '0.1.0',
        uptime_secs: 8_120,
        memory_bytes: 540e6,
        disk_free_bytes: 1.1e9,
        outbox_events: 37,
        outbox_evidence_bytes: 41e6,
        dropped_evidence: 3,
        inference: { model: 'site-ppe 0.1.0', provider: 'cpu', precision: 'fp32', fps: 4.9, latency_ms: 51 },
        warnings: [{ code: 'disk_low', message: '磁盘剩余不足 2 GB,最旧的证据将被清除。请清理磁盘或更换更大的存储。' }],
      },
    },
  ].map((edge) => ({ ...edge, refusals: edge.refusals.filter(() => cameras.length > 0) }))
}
