import { useQuery } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'
import { plain } from './client'
import type { AlgorithmId, EventState } from './types'

/** What a report covers; times are microseconds, whole days are counted. */
export interface ReportQuery {
  from?: number
  to?: number
  site_id?: string
  camera_id?: string
  algorithm?: AlgorithmId
}

/** How often alarms were true. */
export interface Precision {
  raised: number
  pending: number
  confirmed: number
  false_alarms: number
  false_by_reason: Record<string, number>
  duplicates: number
  ignored: number
  /** 真实告警率, 0 to 1; null when nobody has judged any. */
  true_rate: number | null
  /** 95 % Wilson interval of the rate. */
  true_rate_low: number | null
  true_rate_high: number | null
}

export interface PrecisionRow extends Precision {
  algorithm: string
  camera_id: string
  camera_name: string
  model_name: string
  model_version: string
}

export interface PrecisionReport {
  from_day: string
  to_day: string
  items: PrecisionRow[]
  by_algorithm: (Precision & { algorithm: string })[]
  total: Precision
}

export type StatisticsBy = 'day' | 'site' | 'camera' | 'algorithm' | 'severity'

export interface StatisticsRow extends Precision {
  /** A day, an id, an algorithm or a grade. */
  key: string
  name: string
  by_state: Partial<Record<EventState, number>>
}

export interface Took {
  events: number
  median_secs: number | null
  p90_secs: number | null
}

export interface Statistics {
  from_day: string
  to_day: string
  items: StatisticsRow[]
  total: Precision
  /** From arrival to the first step. */
  respond: Took
  /** From arrival to closing. */
  close: Took
  online_rate: number | null
}

export function usePrecision(query: Ref<ReportQuery>) {
  return useQuery({
    queryKey: computed(() => ['reports', 'precision', query.value]),
    queryFn: ({ signal }) => plain<PrecisionReport>('GET', '/api/v1/reports/precision', { query: query.value, signal }),
    placeholderData: (before) => before,
  })
}

export function useStatistics(query: Ref<ReportQuery>, by: Ref<StatisticsBy>) {
  return useQuery({
    queryKey: computed(() => ['reports', 'statistics', by.value, query.value]),
    queryFn: ({ signal }) => plain<Statistics>('GET', '/api/v1/reports/statistics', { query: { ...query.value, by: by.value }, signal }),
    placeholderData: (before) => before,
  })
}
