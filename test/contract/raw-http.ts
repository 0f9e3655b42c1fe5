/** Bodies are whatever the service sent; the assertions say what they should be. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Json = any

export type Answer = {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  readonly body: Json
}

export type CallOptions = {
  readonly token?: string | undefined
  /** Microversion minor; undefined = no header. */
  readonly minor?: number | 'latest' | undefined
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** One HTTP request as it stands, redirects not followed. A string body is sent as it is. */
export async function call(
  method: string,
  url: string,
  { token, minor, body, headers }: CallOptions = {},
): Promise<Answer> {
  const version = minor === 'latest' ? minor : `3.${minor ?? 0}`
  const response = await fetch(url, {
    method,
    redirect: 'manual',
    headers: {
      // the lab's Keystone resets kept-alive connections
      connection: 'close',
      ...(token === undefined ? {} : { 'x-auth-token': token }),
      ...(minor === undefined ? {} : { 'openstack-api-version': `volume ${version}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    text,
    body: parsed(text),
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
