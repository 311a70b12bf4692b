import createClient from 'openapi-fetch'
import { ApiError } from './errors'
import type { paths } from './schema'

/** Typed by the API document: an unknown path, method or body does not compile. */
export const api = createClient<paths>({
  // A lambda, so that tests may replace `fetch` later.
  fetch: (request) => globalThis.fetch(request),
  baseUrl: globalThis.location?.origin ?? '',
})

api.use({
  onRequest({ request }) {
    // The server takes changes only with this header, which another origin cannot send.
    if (request.method !== 'GET') request.headers.set('x-requested-with', 'gongshao')
    return request
  },
})

let onSignedOut: () => void = () => {}

/** Says what happens when the server no longer knows the session. */
export function whenSignedOut(handler: () => void): void {
  onSignedOut = handler
}

interface Answer<T> {
  data?: T
  error?: unknown
  response: Response
}

/** The body of a good answer; everything else is thrown as an {@link ApiError}. */
export async function body<T>(pending: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>
  try {
    answer = await pending
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    if (error instanceof SyntaxError) throw ApiError.from(502, undefined)
    throw ApiError.unreachable()
  }
  const { response } = answer
  if (response.ok) return answer.data as T
  if (response.status === 401 && !new URL(response.url).pathname.endsWith('/api/v1/session')) onSignedOut()
  throw ApiError.from(response.status, answer.error)
}
