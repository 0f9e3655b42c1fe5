import type { HttpClient } from '../http.ts'

const READS = new Set(['GET', 'HEAD'])

/**
 * Lets reads through and refuses everything else before it is sent. `login`: paths that may be posted to, since
 * Keystone hands out tokens that way.
 */
export function readsOnly(http: HttpClient, login?: RegExp): HttpClient {
  return {
    request: (req) => {
      const isLogin = req.method === 'POST' && login?.test(new URL(req.url).pathname) === true
      return READS.has(req.method) || isLogin
        ? http.request(req)
        : Promise.reject(new Error(`${req.method} refused: this command only reads`))
    },
    close: () => http.close(),
  }
}

export const KEYSTONE_LOGIN = /\/auth\/tokens$/
