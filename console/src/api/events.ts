import { api, body, plain } from './client'
import { ApiError } from './errors'
import type { ActionInput, BulkInput, BulkResults, EventDetail, EventQuery, EventSummary, Page } from './types'

const path = '/api/v1/events'

export const eventKeys = {
  all: ['events'] as const,
  list: (filter: object) => ['events', 'list', filter] as const,
  detail: (id: string) => ['events', 'detail', id] as const,
  counters: ['events', 'counters'] as const,
}

export const events = {
  list: (filter: EventQuery, cursor: string | null, limit: number, signal?: AbortSignal) =>
    plain<Page<EventSummary>>('GET', path, { query: { ...filter, cursor, limit }, signal }),
  read: (id: string, signal?: AbortSignal): Promise<EventDetail> => body(api.GET('/api/v1/events/{id}', { params: { path: { id } }, signal })),
  counters: (signal?: AbortSignal) => body(api.GET('/api/v1/events/counters', { signal })),
  act: (id: string, input: ActionInput) =>
    body(api.POST('/api/v1/events/{id}/actions', { params: { path: { id } }, body: input })),
  actOnMany: (input: BulkInput) => plain<BulkResults>('POST', `${path}/bulk-actions`, { body: input }),

  /** The filtered list as a file. */
  async export(filter: EventQuery, format: 'xlsx' | 'csv'): Promise<{ name: string; file: Blob }> {
    const url = new URL(`${path}/export.${format}`, location.origin)
    for (const [name, value] of Object.entries(filter)) if (value !== undefined) url.searchParams.set(name, String(value))
    let response: Response
    try {
      response = await fetch(url)
    } catch {
      throw ApiError.unreachable()
    }
    if (!response.ok) throw ApiError.from(response.status, await response.json().catch(() => undefined))
    const named = /filename="?([^";]+)"?/.exec(response.headers.get('content-disposition') ?? '')?.[1]
    return { name: named ?? `events.${format}`, file: await response.blob() }
  },
}
