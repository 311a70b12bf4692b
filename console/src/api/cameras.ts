import { useQuery } from '@tanstack/vue-query'
import { api, body } from './client'
import { everyItem } from './pages'
import type { CameraInput } from './types'

const path = '/api/v1/cameras'
const one = '/api/v1/cameras/{id}'

export const cameraKeys = { all: ['cameras'] as const }

export const cameras = {
  list: (signal?: AbortSignal) => everyItem((cursor) => body(api.GET(path, { params: { query: { cursor } }, signal }))),
  create: (input: CameraInput) => body(api.POST(path, { body: input })),
  change: (id: string, input: CameraInput) => body(api.PUT(one, { params: { path: { id } }, body: input })),
  remove: (id: string) => body(api.DELETE(one, { params: { path: { id } } })),
  /** Address of the live socket of a camera, good for a short while. */
  async liveUrl(id: string): Promise<string> {
    const token = await body(api.POST('/api/v1/cameras/{id}/live-token', { params: { path: { id } } }))
    const url = new URL(token.path, location.href)
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
    return url.href
  },
}

/** Every camera, kept fresh by the change stream. */
export function useCameras() {
  return useQuery({ queryKey: cameraKeys.all, queryFn: ({ signal }) => cameras.list(signal) })
}
