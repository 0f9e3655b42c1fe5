import type { Clock } from '../clock.ts'
import { UserError } from '../errors.ts'
import type { Authorization } from './transport.ts'

const FRESH_MS = 60_000

/**
 * Keeps what `read` gives for a minute. Callers at the same time share one read. A read that fails keeps the last value:
 * while a token file is being replaced the old token is still good.
 */
export function cachedAuthorization(
  clock: Clock,
  read: (refresh: boolean) => Promise<string | undefined> | string | undefined,
): Authorization {
  let last: { readonly value: string | undefined; readonly at: number } | undefined
  let reading: Promise<string | undefined> | undefined

  const readOnce = async (refresh: boolean) => {
    try {
      const value = await read(refresh)
      last = { value, at: clock.monotonic() }
      return value
    } catch (e) {
      if (!last) throw e
      return last.value
    }
  }

  return (refresh = false) => {
    if (!refresh && last && clock.monotonic() - last.at < FRESH_MS)
      return Promise.resolve(last.value)
    reading ??= readOnce(refresh).finally(() => {
      reading = undefined
    })
    return reading
  }
}

/** `Bearer <token>`; a token that cannot be sent in a header is a mistake worth a clear word, without the token. */
export function bearer(token: string, source: string): string {
  const trimmed = token.trim()
  if (trimmed === '' || /[^\x21-\x7e]/.test(trimmed))
    throw new UserError(
      'KubeTokenInvalid',
      `the token from ${source} is empty or has characters that no token has`,
      { fix: 'write a new one' },
    )
  return `Bearer ${trimmed}`
}
