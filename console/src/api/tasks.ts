import { useQuery } from '@tanstack/vue-query'
import { api, body } from './client'
import { everyItem } from './pages'
import type { TaskInput } from './types'

const path = '/api/v1/tasks'
const one = '/api/v1/tasks/{id}'

export const taskKeys = { all: ['tasks'] as const, algorithms: ['algorithms'] as const }

export const tasks = {
  list: (signal?: AbortSignal) => everyItem((cursor) => body(api.GET(path, { params: { query: { cursor } }, signal }))),
  create: (input: TaskInput) => body(api.POST(path, { body: input })),
  change: (id: string, input: TaskInput) => body(api.PUT(one, { params: { path: { id } }, body: input })),
  remove: (id: string) => body(api.DELETE(one, { params: { path: { id } } })),
  algorithms: async (signal?: AbortSignal) => (await body(api.GET('/api/v1/algorithms', { signal }))).items,
}

/** Every task, kept fresh by the change stream. */
export function useTasks() {
  return useQuery({ queryKey: taskKeys.all, queryFn: ({ signal }) => tasks.list(signal) })
}

/** The algorithms that this release has; they do not change while it runs. */
export function useAlgorithms() {
  return useQuery({
    queryKey: taskKeys.algorithms,
    queryFn: ({ signal }) => tasks.algorithms(signal),
    staleTime: Infinity,
  })
}
