import { UserError } from '../errors.ts'
import type { HttpRequest } from '../http.ts'
import { readFault, sentence } from './errors.ts'
import type { Answer, Send } from './transport.ts'

/** What was asked for is not Keystone, or Keystone is elsewhere: nothing is said about the credential. */
export class AuthUrlError extends UserError {
  constructor(message: string) {
    super('OpenStackAuthUrl', message)
  }
}

type Where = {
  readonly authUrl: string
  readonly send: Send
  /** Without secrets. */
  readonly clean: (text: string) => string
}

const MOST_REDIRECTS = 3
const LABEL = { service: 'identity', operation: 'login' }

/**
 * Sends a login, and again to where its own host redirects it: from http to https, or to another path of Keystone's.
 * Throws `AuthUrlError` for a redirect to anywhere else, which never gets the secret.
 */
export async function sendLogin(
  request: HttpRequest,
  { authUrl, send, clean }: Where,
): Promise<Answer> {
  let url = request.url
  for (let redirects = 0; ; redirects++) {
    const answer = await send({ ...request, url }, LABEL)
    const location = answer.headers['location']
    if (location === undefined || ![301, 302, 307, 308].includes(answer.status)) return answer
    const target = URL.parse(location, url)
    if (target === null || !isSafe(new URL(url), target) || redirects === MOST_REDIRECTS)
      throw redirected(authUrl, clean(target?.href ?? location))
    url = target.href
  }
}

function isSafe(from: URL, to: URL): boolean {
  const upgrade = from.protocol === 'http:' && to.protocol === 'https:'
  const sameServer = from.hostname === to.hostname && (upgrade || from.origin === to.origin)
  return sameServer && /\/auth\/tokens\/?$/.test(to.pathname) && to.username + to.password === ''
}

function redirected(authUrl: string, location: string): AuthUrlError {
  const shown = location.split(/[?#]/)[0]!.replace(/\/\/[^/]*@/, '//')
  const base = shown.replace(/\/auth\/tokens\/?$/, '')
  return new AuthUrlError(
    `OS_AUTH_URL ${authUrl} redirects logins to ${shown}, and the credential is not sent there: ` +
      `if that is Keystone, set OS_AUTH_URL (auth_url) to ${base}`,
  )
}

/** The answer to a login that Keystone itself cannot have given. 401 is taken for its own, since clouds lock users. */
export function notKeystone(
  answer: Answer,
  { authUrl, clean }: Omit<Where, 'send'>,
): AuthUrlError | undefined {
  const { status } = answer
  if (status === 401 || status === 429 || (status >= 500 && status !== 501)) return undefined
  if ([400, 403, 404].includes(status) && isOwnFault(answer)) return undefined
  const what =
    status < 300 ? `answered ${status} without a token` : clean(`answered ${sentence(answer)}`)
  return new AuthUrlError(
    `OS_AUTH_URL ${authUrl} does not lead to Keystone v3: the login ${what}. ` +
      'Set OS_AUTH_URL (auth_url) to the URL of the identity service, such as https://keystone.example.com:5000/v3; the credential itself was not judged',
  )
}

/** `{"error": {"code", "message", "title"}}`, and not the one for a path that it does not serve. */
function isOwnFault({ json }: Answer): boolean {
  const said = readFault(json)
  return said?.fault === 'error' && !/resource could not be found/i.test(said.message)
}
