import { createSecureContext } from 'node:tls'
import type { Clock } from '../clock.ts'
import type { HttpOptions, TlsMaterial } from '../http.ts'

/**
 * Certificates that are read again when they are older than `freshMs`, and at once when the server refused them: a
 * process that runs for months outlives its certificates. A read that fails keeps the last ones. The first read is
 * made now, and may throw.
 */
export async function renewedMaterial(
  clock: Clock,
  freshMs: number,
  read: () => Promise<TlsMaterial> | TlsMaterial,
): Promise<HttpOptions> {
  let last = await read()
  let at = clock.monotonic()
  let reading: Promise<TlsMaterial> | undefined
  const again = async () => {
    try {
      const next = await read()
      createSecureContext(next)
      last = next
    } catch {
      // a file that is being replaced, or a new certificate whose key is not there yet
    }
    at = clock.monotonic()
    return last
  }
  return {
    ...last,
    renewed: (refused) => {
      if (!refused && clock.monotonic() - at < freshMs) return Promise.resolve(last)
      reading ??= again().finally(() => {
        reading = undefined
      })
      return reading
    },
  }
}
