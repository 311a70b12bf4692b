import type { Algorithm, AlgorithmId, Params, Severity, Task, TaskInput } from '@/api/types'
import { fault, isLine, type Figure } from '@/ui/zones/shape'
import type { FullSchedule } from './week'

/** Range and step of each parameter that is a number, as the server checks them. */
export const ranges = {
  min_score: { min: 0.05, max: 0.99, step: 0.05 },
  min_target_px: { min: 0, max: 2_000, step: 10 },
  votes_needed: { min: 1, max: 50, step: 1 },
  votes_window: { min: 1, max: 50, step: 1 },
  dwell_secs: { min: 0, max: 86_400, step: 0.5 },
  cool_down_secs: { min: 0, max: 86_400, step: 30 },
  task_cool_down_secs: { min: 0, max: 86_400, step: 30 },
  camera_cool_down_secs: { min: 0, max: 86_400, step: 30 },
  crowd_size: { min: 2, max: 500, step: 1 },
  sample_fps: { min: 0.02, max: 25, step: 1 },
  min_overlap: { min: 0.01, max: 1, step: 0.05 },
  share_needed: { min: 0.005, max: 1, step: 0.01 },
  layers_max: { min: 1, max: 20, step: 1 },
  reach: { min: 0, max: 5, step: 0.1 },
  smoke_dwell_secs: { min: 0, max: 3_600, step: 1 },
} as const
export type NumberName = keyof typeof ranges

/** How a subject must lie in a zone: its foot point, a share of itself, or a share of the zone. */
export const overlaps = ['foot_point', 'target_share', 'zone_share'] as const
export type ParamName = NumberName | 'overlap'
export type ParamValues = Partial<Record<ParamName, number | string | null>>

const votes: ParamName[] = ['min_score', 'votes_needed', 'votes_window', 'dwell_secs']
const quiet: ParamName[] = ['cool_down_secs', 'task_cool_down_secs', 'camera_cool_down_secs', 'sample_fps']
const target: ParamName[] = ['min_target_px', 'overlap', 'min_overlap']

/** The parameters that mean something for an algorithm, besides those that all have; the special ones come first. */
const special: Record<string, ParamName[]> = {
  no_helmet: target,
  intrusion: target,
  crowd: ['crowd_size', ...target],
  no_harness: target,
  occupant_no_helmet: ['reach', ...target],
  large_material: ['reach', ...target],
  no_life_jacket: target,
  e_bike: target,
  construction_vehicle: target,
  special_vehicle: target,
  fire_smoke: ['smoke_dwell_secs'],
  ponding: ['share_needed'],
  fence_missing: ['share_needed'],
  edge_protection: ['share_needed'],
  overhang: ['share_needed'],
  segment_stack: ['layers_max'],
  picture_quality: [],
}

/** What a task of this algorithm can be tuned by: as far as the server knows the parameter. */
export function paramsOf(algorithm: Pick<Algorithm, 'id' | 'defaults'>): ParamName[] {
  const known = algorithm.defaults as ParamValues
  return [...(special[algorithm.id] ?? target), ...votes, ...quiet].filter((name) => known[name] !== undefined)
}

export interface TaskForm {
  name: string
  camera_id: string
  algorithm: AlgorithmId
  enabled: boolean
  severity: Severity | ''
  /** Zones and lines, in the order they were drawn. */
  figures: Figure[]
  schedule: FullSchedule
  params: ParamValues
}

export function formOf(task: Task | null, algorithms: readonly Algorithm[]): TaskForm {
  if (!task) {
    return {
      name: '',
      camera_id: '',
      algorithm: algorithms[0]?.id ?? 'no_helmet',
      enabled: true,
      severity: '',
      figures: [],
      // The site's own time is the browser's: the person who arms the task stands there.
      schedule: { utc_offset_minutes: -new Date().getTimezoneOffset(), spans: [], holidays: [] },
      params: {},
    }
  }
  return {
    name: task.name,
    camera_id: task.camera_id,
    algorithm: task.algorithm,
    enabled: task.enabled,
    severity: task.severity ?? '',
    figures: [...task.zones, ...task.lines].map((figure) => ({ ...figure, points: figure.points.map((point) => ({ ...point })) })),
    schedule: { ...task.schedule },
    params: { ...(task.params as ParamValues) },
  }
}

/** What can be said before asking the server: field to key and values of the text. */
export function check(form: TaskForm): Record<string, { key: string; values?: Record<string, string> }> {
  const found: Record<string, { key: string; values?: Record<string, string> }> = {}
  if (form.name.trim() === '') found.name = { key: 'tasks.nameMissing' }
  if (form.camera_id === '') found.camera_id = { key: 'tasks.cameraMissing' }
  for (const zone of form.figures) {
    const wrong = fault(zone.points, zone.kind)
    if (zone.name.trim() === '') found.zones = { key: 'tasks.zoneNameMissing' }
    else if (wrong) found.zones = { key: `tasks.zoneFault.${wrong}`, values: { name: zone.name } }
  }
  return found
}

export function inputOf(form: TaskForm, version: number | undefined): TaskInput {
  const figures = form.figures.map((figure) => ({ ...figure, name: figure.name.trim() }))
  const lines = figures.filter((figure) => isLine(figure.kind)).map(({ name, kind, points }) => ({ name, kind, points }))
  const zones = figures.filter((figure) => !isLine(figure.kind)).map(({ min_score, ...zone }) => (min_score ? { ...zone, min_score } : zone))
  const input = {
    name: form.name.trim(),
    camera_id: form.camera_id,
    algorithm: form.algorithm,
    enabled: form.enabled,
    severity: form.severity === '' ? null : form.severity,
    zones: zones as TaskInput['zones'],
    schedule: form.schedule,
    params: Object.fromEntries(Object.entries(form.params).filter(([, value]) => value !== null && value !== undefined)) as Params,
    lines: lines as TaskInput['lines'],
    ...(version === undefined ? {} : { version }),
  }
  return input
}

/** How many parameters differ from the algorithm's own. */
export const changedParams = (params: object) => Object.values(params).filter((value) => value !== null && value !== undefined).length
