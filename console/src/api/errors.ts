import type { ErrorBody } from './types'

/** Why a request failed, in the words of the server or in ours when there was no server. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly messageZh: string,
    readonly field: string | null,
  ) {
    super(message)
  }

  /** No answer at all: network, proxy, server down. */
  static unreachable(): ApiError {
    return new ApiError(
      0,
      'unreachable',
      'The server does not answer. Check the network; this page tries again by itself.',
      '服务器没有响应。请检查网络,页面会自动重试。',
      null,
    )
  }

  static from(status: number, body: unknown): ApiError {
    if (isErrorBody(body)) return new ApiError(status, body.code, body.message, body.message_zh, body.field ?? null)
    return new ApiError(
      status,
      'unexpected',
      `The server answered ${status} without saying why. Try again; if it stays, look into the server's log.`,
      `服务器返回 ${status},但没有说明原因。请重试;若仍如此,请查看服务器日志。`,
      null,
    )
  }

  /** The sentence in the language of the console. */
  in(locale: string): string {
    return locale.startsWith('zh') ? this.messageZh || this.message : this.message || this.messageZh
  }

  get isForbidden(): boolean {
    return this.status === 403
  }

  get isConflict(): boolean {
    return this.status === 409
  }
}

function isErrorBody(body: unknown): body is ErrorBody {
  return typeof body === 'object' && body !== null && 'code' in body && 'message' in body && 'message_zh' in body
}

/** The sentence to show for anything that was thrown. */
export function sentence(error: unknown, locale: string): string {
  if (error instanceof ApiError) return error.in(locale)
  return error instanceof Error ? error.message : String(error)
}

/** The field the server complains about, if it named one. */
export function fieldOf(error: unknown): string | null {
  return error instanceof ApiError ? error.field : null
}
