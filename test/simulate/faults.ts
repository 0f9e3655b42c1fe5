import type { HttpRequest, HttpResponse } from '../../src/http.ts'
import { ConnectionError } from '../../src/http.ts'
import type { Dice } from '../seeded.ts'

export type Service = 'kube' | 'keystone' | 'cinder' | 'prometheus'

/** What a fault may do with one request. */
export type Passage = {
  readonly request: HttpRequest
  readonly service: Service
  readonly dice: Dice
  /** [0, 1): the same for all requests that one fault strikes. */
  readonly mood: number
  /** Delivers the request; its effect, if any, happens whatever becomes of the sender. */
  deliver(): Promise<HttpResponse>
  wait(ms: number): Promise<void>
}

export type NetworkFault = {
  readonly name: string
  readonly weight: number
  /** Default: all services. */
  readonly services?: readonly Service[]
  /** Only requests of this kind; default all but watches. */
  readonly only?: 'reads' | 'writes'
  /** It strikes the opening of watches too. */
  readonly watches?: true
  strike(passage: Passage): Promise<HttpResponse>
}

const HTML = '<html><head><title>Error</title></head><body><h1>Error</h1></body></html>'
const PROXY_STATUS = [401, 403, 404, 406, 408, 413, 429, 500, 502, 503, 504] as const
const REFUSALS = [401, 403, 409, 429, 500, 503] as const
/** Longest that a request stays on its way, as the design has it. */
const LONGEST_MS = 19_000

/** Everything that can happen between the product and a service. One line and its function each. */
export const NETWORK_FAULTS: readonly NetworkFault[] = [
  { name: 'slow', weight: 4, strike: slow },
  { name: 'request lost', weight: 3, strike: requestLost },
  { name: 'reply lost', weight: 4, strike: replyLost },
  { name: 'hangs', weight: 2, strike: hangs },
  { name: 'refused', weight: 2, strike: refused },
  { name: 'proxy answers', weight: 4, strike: proxyAnswers },
  { name: 'proxy gives one answer', weight: 4, watches: true, strike: proxyOneAnswer },
  { name: 'service gives one refusal', weight: 2, watches: true, strike: serviceOneRefusal },
  { name: 'proxy answers 200', weight: 1, only: 'reads', strike: proxyAnswersOk },
  { name: 'effect, then a proxy error', weight: 2, only: 'writes', strike: effectThenProxy },
  { name: 'cut short', weight: 2, only: 'reads', strike: cutShort },
  { name: 'service refuses', weight: 3, strike: serviceRefuses },
  { name: 'maintenance for a day', weight: 2, watches: true, strike: maintenance },
  { name: 'older Cinder', weight: 1, services: ['cinder'], only: 'reads', strike: olderCinder },
  { name: 'too many calls', weight: 2, services: ['cinder'], only: 'writes', strike: overLimit },
  { name: 'no samples', weight: 1, services: ['prometheus'], strike: noSamples },
  { name: 'nonsense samples', weight: 1, services: ['prometheus'], strike: nonsense },
]

async function slow({ deliver, wait, dice }: Passage): Promise<HttpResponse> {
  await wait(dice.between(0, LONGEST_MS))
  const answer = await deliver()
  await wait(dice.between(0, LONGEST_MS))
  return answer
}

function requestLost(): Promise<HttpResponse> {
  return Promise.reject(new ConnectionError('reset', 'simulated: the request was lost'))
}

async function replyLost({ deliver, wait, dice }: Passage): Promise<HttpResponse> {
  await wait(dice.between(0, LONGEST_MS))
  await deliver().catch(() => {})
  throw new ConnectionError('reset', 'simulated: the reply was lost')
}

async function hangs({ deliver, wait, dice }: Passage): Promise<HttpResponse> {
  if (dice.chance(0.5)) {
    await wait(dice.between(0, LONGEST_MS))
    await deliver().catch(() => {})
  }
  return new Promise(() => {})
}

function refused(): Promise<HttpResponse> {
  return Promise.reject(new ConnectionError('refused', 'simulated: connection refused'))
}

function proxyAnswers({ dice }: Passage): Promise<HttpResponse> {
  const headers = dice.chance(0.3) ? { 'retry-after': '30' } : {}
  return Promise.resolve(html(dice.pick(PROXY_STATUS) ?? 502, headers))
}

function proxyOneAnswer({ mood }: Passage): Promise<HttpResponse> {
  const status = PROXY_STATUS[Math.floor(mood * PROXY_STATUS.length)] ?? 502
  return Promise.resolve(html(status, status === 429 ? { 'retry-after': '30' } : {}))
}

function proxyAnswersOk(): Promise<HttpResponse> {
  return Promise.resolve(html(200))
}

async function effectThenProxy({ deliver, wait, dice }: Passage): Promise<HttpResponse> {
  await wait(dice.between(0, LONGEST_MS))
  await deliver().catch(() => {})
  return html(dice.one([500, 502, 504]))
}

async function cutShort({ deliver, dice }: Passage): Promise<HttpResponse> {
  const answer = await deliver()
  const text = await answer.text()
  return respond(answer.status, text.slice(0, dice.int(text.length)), answer.headers)
}

/** An error in the service's own words. A volume that is there is never said to be gone. */
function serviceRefuses(passage: Passage): Promise<HttpResponse> {
  return refusal(passage, passage.dice.next())
}

function serviceOneRefusal(passage: Passage): Promise<HttpResponse> {
  return refusal(passage, passage.mood)
}

function refusal({ service, dice }: Passage, draw: number): Promise<HttpResponse> {
  const status = REFUSALS[Math.floor(draw * REFUSALS.length)] ?? 503
  const message = `simulated refusal ${status} req-${dice.int(1e9)}`
  const bodies = {
    kube: { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, code: status },
    keystone: { error: { code: status, message, title: 'Refused' } },
    cinder: { [status === 403 ? 'forbidden' : 'computeFault']: { code: status, message } },
    prometheus: { status: 'error', errorType: 'execution', error: message },
  }
  return Promise.resolve(json(status, bodies[service]))
}

function maintenance(): Promise<HttpResponse> {
  return Promise.resolve(html(503, { 'retry-after': '86400' }))
}

/** Cinder's own rate limit, which speaks with the status of a quota, or a limiter before it; some ask for minutes. */
function overLimit({ dice, mood }: Passage): Promise<HttpResponse> {
  const code = dice.one([413, 429])
  const retryAfter = ['5', '120', '240'][Math.floor(mood * 3)] ?? '5'
  const message = 'This request was rate-limited.'
  const headers = { 'retry-after': retryAfter }
  return Promise.resolve(json(code, { overLimitFault: { code, message, retryAfter } }, headers))
}

function olderCinder(): Promise<HttpResponse> {
  const message = 'Version 3.70 is not supported by the API. Minimum is 3.0 and maximum is 3.50.'
  return Promise.resolve(json(406, { computeFault: { code: 406, message } }))
}

function noSamples(): Promise<HttpResponse> {
  return Promise.resolve(
    json(200, { status: 'success', data: { resultType: 'vector', result: [] } }),
  )
}

async function nonsense({ deliver, dice }: Passage): Promise<HttpResponse> {
  const answer = await deliver()
  const value = dice.one(['NaN', '+Inf', '-5', 'x'])
  const text = (await answer.text()).replaceAll(/"[\d.]+"\]/g, `"${value}"]`)
  return respond(answer.status, text, answer.headers)
}

function html(status: number, headers: Readonly<Record<string, string>> = {}): HttpResponse {
  return respond(status, HTML, { 'content-type': 'text/html', ...headers })
}

function json(
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  return respond(status, JSON.stringify(body), { 'content-type': 'application/json', ...headers })
}

function respond(
  status: number,
  text: string,
  headers: Readonly<Record<string, string>>,
): HttpResponse {
  return {
    status,
    headers,
    text: () => Promise.resolve(text),
    chunks: async function* () {
      await Promise.resolve()
      yield text
    },
  }
}
