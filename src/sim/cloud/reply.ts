import { json } from '../json-reply.ts'
import type { SimResponse } from '../handler.ts'

/** Thrown by a route to answer with an error body in Cinder's shape. */
export class Fault extends Error {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly extra: Readonly<Record<string, unknown>>
  constructor(
    status: number,
    message: string,
    headers: Readonly<Record<string, string>> = {},
    extra: Readonly<Record<string, unknown>> = {},
  ) {
    super(message)
    this.status = status
    this.headers = headers
    this.extra = extra
  }
}

const FAULT_NAMES: Readonly<Record<number, string>> = {
  400: 'badRequest',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'itemNotFound',
  405: 'badMethod',
  409: 'conflictingRequest',
  413: 'overLimit',
  415: 'badMediaType',
  501: 'notImplemented',
  503: 'serviceUnavailable',
}

export const SERVER_ERROR =
  'The server has either erred or is incapable of performing the requested operation.'

/** Cinder's error body: one key that names the fault. */
export function cinderFault(fault: Fault): SimResponse {
  const name = FAULT_NAMES[fault.status] ?? 'computeFault'
  const inner = { code: fault.status, message: fault.message, ...fault.extra }
  return json(fault.status, { [name]: inner }, fault.headers)
}

/** Values as Python prints them, since Cinder quotes them so in its messages. */
export function pythonRepr(value: unknown): string {
  if (value === null || value === undefined) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'string') return `'${value}'`
  if (Array.isArray(value)) return `[${value.map(pythonRepr).join(', ')}]`
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .map(([k, v]) => `'${k}': ${pythonRepr(v)}`)
      .join(', ')}}`
  return typeof value === 'number' ? String(value) : 'object'
}

export const badRequest = (message: string): Fault => new Fault(400, message)
export const invalidVolume = (reason: string): Fault => badRequest(`Invalid volume: ${reason}`)
export const invalidInput = (reason: string): Fault =>
  badRequest(`Invalid input received: ${reason}`)
export const notFound = (message: string): Fault => new Fault(404, message)
export const noSuchResource = (): Fault => notFound('The resource could not be found.')
export const forbidden = (policy: string): Fault =>
  new Fault(403, `Policy doesn't allow ${policy} to be performed.`)

/** A field of a body that fails Cinder's schema. */
export const invalidField = (field: string, value: unknown, why: string): Fault =>
  badRequest(
    `Invalid input for field/attribute ${field}. Value: ${typeof value === 'string' ? value : pythonRepr(value)}. ${why}`,
  )

/** Quota: 413 with a Retry-After that says nothing. */
export const overLimit = (message: string): Fault =>
  new Fault(413, message, { 'retry-after': '0' }, { retryAfter: '0' })
