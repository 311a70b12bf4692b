import type { Algorithm, AlgorithmId, FullParams, Params, Schedule, Severity, Task, TaskInput, Zone } from '@/api/types'
import { fault } from '@/ui/zones/shape'

export type ParamName = keyof FullParams

/** Range and step of each parameter, as the server checks them. */
export const ranges: Record<ParamName, { min: number; max: number; step: number }> = {
  min_score: { min: 0.05, max: 0.99, step: 0.05 },
  min_target_px: { min: 0, max: 2_000, step: 10 },
  votes_needed: { min: 1, max: 50, step: 1 },
  votes_window: { min: 1, max: 50, step: 1 },
  dwell_secs: { min: 0, max: 3_600, step: 0.5 },
  cool_down_secs: { min: 0, max: 86_400, step: 30 },
  task_cool_down_secs: { min: 0, max: 86_400, step: 30 },
  crowd_size: { min: 2, max: 500, step: 1 },
  sample_fps: { min: 0.1, max: 25, step: 1 },
}

const common: ParamName[] = ['min_score', 'min_target_px', 'votes_needed', 'votes_window', 'dwell_secs', 'cool_down_secs', 'task_cool_down_secs', 'sample_fps']

/** The parameters that mean something for an algorithm. */
export const paramsOf = (algorithm: AlgorithmId): ParamName[] => (algorithm === 'crowd' ? ['crowd_size', ...common] : common)

export interface TaskForm {
  name: string
  camera_id: string
  algorithm: AlgorithmId
  enabled: boolean
  severity: Severity | ''
  zones: Zone[]
  schedule: Schedule
  params: Params
}

const noParams: Params = {
  min_score: null,
  min_target_px: null,
  votes_needed: null,
  votes_window: null,
  dwell_secs: null,
  cool_down_secs: null,
  task_cool_down_secs: null,
  crowd_size: null,
  sample_fps: null,
}

export function formOf(task: Task | null, algorithms: readonly Algorithm[]): TaskForm {
  if (!task) {
    return {
      name: '',
      camera_id: '',
      algorithm: algorithms[0]?.id ?? 'no_helmet',
      enabled: true,
      severity: '',
      zones: [],
      // The site's own time is the browser's: the person who arms the task stands there.
      schedule: { utc_offset_minutes: -new Date().getTimezoneOffset(), spans: [] },
      params: { ...noParams },
    }
  }
  return {
    name: task.name,
    camera_id: task.camera_id,
    algorithm: task.algorithm,
    enabled: task.enabled,
    severity: task.severity ?? '',
    zones: structuredClone(task.zones.map((zone) => ({ ...zone, points: zone.points.map((point) => ({ ...point })) }))),
    schedule: task.schedule,
    params: { ...noParams, ...task.params },
  }
}

/** What can be said before asking the server: field to key and values of the text. */
export function check(form: TaskForm): Record<string, { key: string; values?: Record<string, string> }> {
  const found: Record<string, { key: string; values?: Record<string, string> }> = {}
  if (form.name.trim() === '') found.name = { key: 'tasks.nameMissing' }
  if (form.camera_id === '') found.camera_id = { key: 'tasks.cameraMissing' }
  for (const zone of form.zones) {
    const wrong = fault(zone.points)
    if (zone.name.trim() === '') found.zones = { key: 'tasks.zoneNameMissing' }
    else if (wrong) found.zones = { key: `tasks.zoneFault.${wrong}`, values: { name: zone.name } }
  }
  return found
}

export function inputOf(form: TaskForm, version: number | undefined): TaskInput {
  return {
    name: form.name.trim(),
    camera_id: form.camera_id,
    algorithm: form.algorithm,
    enabled: form.enabled,
    severity: form.severity === '' ? null : form.severity,
    zones: form.zones.map((zone) => ({ ...zone, name: zone.name.trim() })),
    schedule: form.schedule,
    params: form.params,
    ...(version === undefined ? {} : { version }),
  }
}

/** How many parameters differ from the algorithm's own. */
export const changedParams = (params: Params) => Object.values(params).filter((value) => value !== null && value !== undefined).length
