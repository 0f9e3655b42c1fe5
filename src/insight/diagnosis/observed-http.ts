import type { Clock } from '../../clock.ts'
import { ConnectionError } from '../../http.ts'
import type { ConnectionFailure, HttpClient, HttpResponse } from '../../http.ts'
import { httpDate, openStackTime } from '../../time.ts'

/** What answers have shown in addition to what was asked. */
export type Observations = {
  /** Origins that gave no answer, by what was in the way. */
  readonly failures: ReadonlyMap<string, ConnectionFailure>
  /** By origin: ms that its clock is ahead of ours, by the Date of its answers; 0 within the uncertainty. */
  readonly skews: ReadonlyMap<string, number>
  /** The token document of the last login; never the token, which is in a header. */
  readonly login: unknown
}

/** A Date header has whole seconds: the answer was sent within this of it. */
const DATE_RESOLUTION_MS = 1000
const LOGIN = /\/auth\/tokens$/

/** `http`, with an eye on the clocks of the servers, on services that do not answer, and on what a login returns. */
export function observed(
  http: HttpClient,
  clock: Clock,
): { readonly http: HttpClient; readonly seen: Observations } {
  const failures = new Map<string, ConnectionFailure>()
  const skews = new Map<string, number>()
  const seen = { failures, skews, login: undefined as unknown }
  return {
    seen,
    http: {
      close: () => http.close(),
      request: async (req) => {
        const { origin, pathname } = new URL(req.url)
        const sentAt = clock.now()
        try {
          const response = await http.request(req)
          const date = httpDate(response.headers['date'] ?? '')
          if (date !== undefined) skews.set(origin, ahead(date, sentAt, clock.now()))
          failures.delete(origin)
          if (!LOGIN.test(pathname) || response.status >= 300) return response
          return await remembering(response, (text) => {
            seen.login = parsed(text)
            const issuedAt = issueTime(seen.login)
            if (response.status === 201 && issuedAt !== undefined)
              skews.set(origin, ahead(issuedAt, sentAt, clock.now()))
          })
        } catch (e) {
          if (e instanceof ConnectionError && e.failure !== 'aborted')
            failures.set(origin, e.failure)
          throw e
        }
      },
    },
  }
}

/** How far a time that was read between `sentAt` and `receivedAt` is ahead, at the least; negative = behind. */
function ahead(reported: number, sentAt: number, receivedAt: number): number {
  const least = reported - receivedAt
  const most = reported + DATE_RESOLUTION_MS - sentAt
  if (least > 0) return least
  return most < 0 ? most : 0
}

async function remembering(
  response: HttpResponse,
  remember: (text: string) => void,
): Promise<HttpResponse> {
  const text = await response.text()
  remember(text)
  return { ...response, text: () => Promise.resolve(text) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

function issueTime(login: unknown): number | undefined {
  const issued = (login as { token?: { issued_at?: unknown } } | undefined)?.token?.issued_at
  return typeof issued === 'string' ? openStackTime(issued) : undefined
}
