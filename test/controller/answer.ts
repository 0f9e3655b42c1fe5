import type { HttpResponse } from '../../src/http.ts'

const REASONS: Readonly<Record<number, string>> = {
  403: 'Forbidden',
  413: 'RequestEntityTooLarge',
  422: 'Invalid',
  500: 'InternalError',
}

/** What an API server says that refuses. */
export function answer(status: number, message: string): HttpResponse {
  const reason = REASONS[status] ?? 'Unknown'
  const body = JSON.stringify({ kind: 'Status', apiVersion: 'v1', code: status, reason, message })
  return {
    status,
    headers: { 'content-type': 'application/json' },
    text: () => Promise.resolve(body),
    chunks: async function* () {
      yield await Promise.resolve(body)
    },
  }
}
