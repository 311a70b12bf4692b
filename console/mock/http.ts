/** Small helpers around Node's HTTP. */
import type { IncomingMessage, ServerResponse } from 'node:http'

/** An error answer. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly messageZh: string,
    readonly field: string | null = null,
  ) {
    super(message)
  }
}

export function sendJson(response: ServerResponse, status: number, body?: unknown): void {
  response.statusCode = status
  if (body === undefined) {
    response.end()
    return
  }
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(body))
}

export function sendError(response: ServerResponse, error: unknown): void {
  const refused = error instanceof Refused ? error : new Refused(500, 'internal', String(error), String(error))
  sendJson(response, refused.status, { code: refused.code, message: refused.message, message_zh: refused.messageZh, field: refused.field })
}

export async function readJson<T>(request: IncomingMessage): Promise<T> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as T
}

export function cookie(request: IncomingMessage, name: string): string | undefined {
  return request.headers.cookie
    ?.split(';')
    .map((part) => part.trim().split('='))
    .find(([key]) => key === name)?.[1]
}

/** Sends bytes, whole or the range that was asked for. */
export function sendBytes(request: IncomingMessage, response: ServerResponse, type: string, bytes: Buffer): void {
  response.setHeader('content-type', type)
  response.setHeader('accept-ranges', 'bytes')
  response.setHeader('cache-control', 'private, max-age=31536000, immutable')
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '')
  if (!range) {
    response.end(bytes)
    return
  }
  const start = Number(range[1])
  const end = Math.min(range[2] ? Number(range[2]) : bytes.length - 1, bytes.length - 1)
  response.statusCode = 206
  response.setHeader('content-range', `bytes ${start}-${end}/${bytes.length}`)
  response.end(bytes.subarray(start, end + 1))
}
