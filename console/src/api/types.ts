/** The API's types under short names; all of them come out of the generated schema. */
import type { components } from './schema'

type Schemas = components['schemas']

export type ActionInput = Schemas['ActionInput']
export type Algorithm = Schemas['AlgorithmInfo']
export type AlgorithmId = Schemas['Algorithm']
export type BoundingBox = Schemas['BoundingBox']
export type Camera = Schemas['Camera']
export type CameraInput = Schemas['CameraInput']
export type CameraState = Schemas['CameraState']
export type Change = Schemas['Change']
export type ClipRef = Schemas['Clip']
export type Counters = Schemas['EventCounters']
export type Edge = Schemas['Edge']
export type EdgeHealth = Schemas['EdgeHealth']
export type ErrorBody = Schemas['Error']
export type EventAction = Schemas['EventAction']
export type EventDetail = Schemas['EventDetail']
export type EventState = Schemas['EventState']
export type EventSummary = Schemas['EventSummary']
export type FalseAlarmReason = Schemas['FalseAlarmReason']
export type HistoryEntry = Schemas['HistoryEntry']
export type Params = Schemas['TaskParamsInput']
export type FullParams = Schemas['TaskParams']
export type Role = Schemas['Role']
export type Schedule = Schemas['Schedule']
export type Severity = Schemas['Severity']
export type SnapshotRef = Schemas['Snapshot']
export type StreamState = Schemas['StreamState']
export type Task = Schemas['Task']
export type TaskInput = Schemas['TaskInput']
export type TimedBox = Schemas['TimedBox']
export type User = Schemas['User']
export type Why = Schemas['Why']
export type Zone = Schemas['Zone']

export interface Page<T> {
  items: T[]
  next_cursor: string | null
}

/** A comment, an assignment, an appeal or a reminder. */
export type EventNote = Schemas['EventNote']

/** What lists of events are narrowed to; several values are separated by commas, times are microseconds. */
export interface EventQuery {
  states?: string
  severities?: string
  algorithms?: string
  site_id?: string
  camera_id?: string
  from?: number
  to?: number
  q?: string
}

/** One step for many events at once, at most 200. */
export interface BulkInput {
  items: { id: string; version: number }[]
  action: EventAction
  reason?: FalseAlarmReason
  remark?: string
}

/** What became of each, in the order they were sent. */
export interface BulkResults {
  items: { id: string; ok: boolean; state: EventState | null; version: number | null; error: ErrorBody | null }[]
}
