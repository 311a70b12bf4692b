import { api, body } from './client'
import type { ActionInput, EventFilter } from './types'

export const eventKeys = {
  all: ['events'] as const,
  list: (filter: EventFilter) => ['events', 'list', filter] as const,
  detail: (id: string) => ['events', 'detail', id] as const,
  counters: ['events', 'counters'] as const,
}

export const events = {
  list: (filter: EventFilter, cursor: string | null, limit: number, signal?: AbortSignal) =>
    body(api.GET('/api/v1/events', { params: { query: { ...filter, cursor: cursor ?? undefined, limit } }, signal })),
  read: (id: string, signal?: AbortSignal) => body(api.GET('/api/v1/events/{id}', { params: { path: { id } }, signal })),
  counters: (signal?: AbortSignal) => body(api.GET('/api/v1/events/counters', { signal })),
  act: (id: string, input: ActionInput) =>
    body(api.POST('/api/v1/events/{id}/actions', { params: { path: { id } }, body: input })),
}
