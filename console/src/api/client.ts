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

/**
 * A request that the API document in this tree does not describe yet; answers are checked no further than the caller
 * declares. Move each call to {@link api} when the document has it.
 */
export async function plain<T>(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, part: { query?: object; body?: unknown; signal?: AbortSignal } = {}): Promise<T> {
  const url = new URL(path, globalThis.location.origin)
  for (const [name, value] of Object.entries(part.query ?? {})) if (value !== undefined && value !== null) url.searchParams.set(name, String(value))
  const read = async (): Promise<Answer<T>> => {
    const response = await globalThis.fetch(url, {
      method,
      signal: part.signal,
      headers: { ...(method === 'GET' ? {} : { 'x-requested-with': 'gongshao' }), ...(part.body === undefined ? {} : { 'content-type': 'application/json' }) },
      body: part.body === undefined ? undefined : JSON.stringify(part.body),
    })
    const text = await response.text()
    const parsed: unknown = text === '' ? undefined : JSON.parse(text)
    return response.ok ? { data: parsed as T, response } : { error: parsed, response }
  }
  return body(read())
}
