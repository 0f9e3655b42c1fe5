import type { SimResponse } from './handler.ts'

/** An answer in JSON; without a body where there is none to give. */
export function json(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): SimResponse {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: body === undefined ? '' : JSON.stringify(body),
  }
}

/** An accepted deletion: nothing, under the content type that an empty answer of WebOb has. */
export function accepted(): SimResponse {
  return {
    status: 202,
    headers: { 'content-type': 'text/html; charset=UTF-8', 'content-length': '0' },
    body: '',
  }
}
