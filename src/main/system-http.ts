import { createHttpClient } from '../http.ts'
import type { HttpClient, HttpOptions } from '../http.ts'
import { proxiesFrom } from '../proxy.ts'

/** The process's way to every server: through the proxies of its environment. Throws `UserError` (PROXY). */
export function systemHttpClient(options: HttpOptions): HttpClient {
  return createHttpClient({ proxy: proxiesFrom(process.env), ...options })
}
