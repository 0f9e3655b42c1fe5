import type { SimResponse } from '../handler.ts'
import type { Cause, Definition } from './types.ts'
import { resourceName } from './types.ts'

export type StatusBody = {
  readonly kind: 'Status'
  readonly apiVersion: 'v1'
  readonly metadata: Readonly<Record<string, unknown>>
  readonly status: 'Failure' | 'Success'
  readonly message?: string
  readonly reason?: string
  readonly details?: Readonly<Record<string, unknown>>
  readonly code?: number
}

/** A refusal: thrown anywhere in the simulator, answered as a `Status`. */
export class StatusError extends Error {
  readonly body: StatusBody
  readonly retryAfterSeconds: number | undefined
  constructor(
    code: number,
    reason: string,
    message: string,
    details?: Readonly<Record<string, unknown>>,
    options: { metadata?: Readonly<Record<string, unknown>>; retryAfterSeconds?: number } = {},
  ) {
    super(message)
    this.retryAfterSeconds = options.retryAfterSeconds
    this.body = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: options.metadata ?? {},
      status: 'Failure',
      message,
      ...(reason === '' ? {} : { reason }),
      ...(details === undefined ? {} : { details }),
      code,
    }
  }

  response(): SimResponse {
    const { code } = this.body
    return {
      status: code ?? 500,
      headers: {
        'content-type': 'application/json',
        ...(this.retryAfterSeconds === undefined
          ? {}
          : { 'retry-after': String(this.retryAfterSeconds) }),
      },
      body: JSON.stringify(this.body),
    }
  }
}

type Named = Pick<Definition, 'group' | 'plural' | 'kind'>

function detailsOf(def: Named, name: string, kind = def.plural) {
  return { name, ...(def.group === '' ? {} : { group: def.group }), kind }
}

export function notFound(def: Named, name: string): StatusError {
  const message = `${resourceName(def)} "${name}" not found`
  return new StatusError(404, 'NotFound', message, detailsOf(def, name))
}

export function alreadyExists(def: Named, name: string): StatusError {
  const message = `${resourceName(def)} "${name}" already exists`
  return new StatusError(409, 'AlreadyExists', message, detailsOf(def, name))
}

export function conflict(def: Named, name: string, why: string): StatusError {
  const message = `Operation cannot be fulfilled on ${resourceName(def)} "${name}": ${why}`
  return new StatusError(409, 'Conflict', message, detailsOf(def, name))
}

export function modified(def: Named, name: string): StatusError {
  return conflict(
    def,
    name,
    'the object has been modified; please apply your changes to the latest version and try again',
  )
}

/** A DELETE whose precondition does not hold; the real server names the kind here, not the resource. */
export function preconditionFailed(def: Named, name: string, why: string): StatusError {
  const message = `Operation cannot be fulfilled on ${kindName(def)} "${name}": ${why}`
  return new StatusError(409, 'Conflict', message, detailsOf(def, name, def.kind))
}

export function badRequest(message: string): StatusError {
  return new StatusError(400, 'BadRequest', message)
}

/** 422 with one cause per mistake. */
export function invalid(
  def: Named,
  name: string,
  causes: readonly Cause[],
  kind = def.kind,
): StatusError {
  const texts = causes.map((c) => `${c.field}: ${c.message}`)
  const list = texts.length === 1 ? texts[0]! : `[${texts.join(', ')}]`
  const title = def.group === '' ? kind : `${kind}.${def.group}`
  return new StatusError(422, 'Invalid', `${title} "${name}" is invalid: ${list}`, {
    ...(name === '' ? {} : { name }),
    ...(def.group === '' ? {} : { group: def.group }),
    kind,
    causes,
  })
}

export function forbidden(def: Named, name: string, why: string, cause?: Cause): StatusError {
  return new StatusError(403, 'Forbidden', `${resourceName(def)} "${name}" is forbidden: ${why}`, {
    ...detailsOf(def, name),
    ...(cause === undefined ? {} : { causes: [cause] }),
  })
}

export function unsupportedMediaType(accepted: readonly string[]): StatusError {
  return new StatusError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  )
}

export function expired(message: string, metadata?: Record<string, unknown>): StatusError {
  return new StatusError(
    410,
    'Expired',
    message,
    undefined,
    metadata === undefined ? {} : { metadata },
  )
}

export function methodNotAllowed(): StatusError {
  return new StatusError(
    405,
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
    {},
  )
}

export function noSuchResource(): StatusError {
  return new StatusError(404, 'NotFound', 'the server could not find the requested resource', {})
}

export function unprocessable(): StatusError {
  return new StatusError(
    422,
    'Invalid',
    'the server rejected our request due to an error in our request',
    {},
  )
}

function kindName(def: Named): string {
  return def.group === '' ? def.kind : `${def.kind}.${def.group}`
}
