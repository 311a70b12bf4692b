import { useQuery } from '@tanstack/vue-query'
import { api, body } from './client'

export const siteKeys = { all: ['sites'] as const }

/** Every site. */
export function useSites() {
  return useQuery({
    queryKey: siteKeys.all,
    queryFn: async ({ signal }) => (await body(api.GET('/api/v1/sites', { signal }))).items,
  })
}
