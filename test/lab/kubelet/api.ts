import { readFileSync } from 'node:fs'
import { load } from 'js-yaml'
import { Agent, request } from 'undici'

type Kubeconfig = {
  clusters: [{ cluster: { server: string; 'certificate-authority': string } }]
  users: [{ user: { 'client-certificate': string; 'client-key': string } }]
}

/** An answer of the API server that is not 2xx. */
export class ApiError extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** The few calls of a kubelet, as the lab's administrator. Paths begin with /api or /apis. Throws ApiError. */
export class Api {
  readonly #server: string
  readonly #agent: Agent

  constructor(kubeconfig: string) {
    const { clusters, users } = load(readFileSync(kubeconfig, 'utf8')) as Kubeconfig
    const { cluster } = clusters[0]
    const { user } = users[0]
    this.#server = cluster.server
    this.#agent = new Agent({
      connect: {
        ca: readFileSync(cluster['certificate-authority']),
        cert: readFileSync(user['client-certificate']),
        key: readFileSync(user['client-key']),
      },
    })
  }

  get<T>(path: string): Promise<T> {
    return this.#call('GET', path)
  }

  async list<T>(path: string): Promise<T[]> {
    // from the API server's cache: this is asked every second
    const { items } = await this.get<{ items: T[] }>(`${path}?resourceVersion=0`)
    return items
  }

  create<T>(path: string, body: object): Promise<T> {
    return this.#call('POST', path, body)
  }

  patch(path: string, body: object, type = 'merge-patch'): Promise<unknown> {
    return this.#call('PATCH', path, body, `application/${type}+json`)
  }

  /** Immediately, and only the object with that uid; one that is gone already is fine. */
  async deleteNow(path: string, uid: string): Promise<void> {
    const options = { gracePeriodSeconds: 0, preconditions: { uid } }
    await this.#call('DELETE', path, options).catch((e: unknown) => {
      if (!(e instanceof ApiError && [404, 409].includes(e.status))) throw e
    })
  }

  async #call<T>(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body?: object,
    type = 'application/json',
  ): Promise<T> {
    const res = await request(`${this.#server}${path}`, {
      method,
      dispatcher: this.#agent,
      headers: { 'content-type': type, 'user-agent': 'lab-kubelet' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headersTimeout: 10_000,
      bodyTimeout: 10_000,
    })
    const text = await res.body.text()
    if (res.statusCode >= 300)
      throw new ApiError(res.statusCode, `${method} ${path}: ${res.statusCode} ${message(text)}`)
    return JSON.parse(text) as T
  }
}

function message(text: string): string {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? text
  } catch {
    return text.slice(0, 200)
  }
}
