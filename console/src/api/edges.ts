import { useQuery } from '@tanstack/vue-query'
import { api, body } from './client'

export const edgeKeys = { all: ['edges'] as const }

/** Every edge with its health, kept fresh by the change stream. */
export function useEdges() {
  return useQuery({
    queryKey: edgeKeys.all,
    queryFn: async ({ signal }) => (await body(api.GET('/api/v1/edges', { signal }))).items,
  })
}
