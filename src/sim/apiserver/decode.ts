import { decodedMetadata, metadataTypeError } from './metadata.ts'
import { prune } from './schema.ts'
import { badRequest } from './status.ts'
import type { Definition, KubeJson } from './types.ts'
import { apiVersionOf, isObject, textOf } from './types.ts'

export type Decoded = { readonly object: KubeJson; readonly unknown: readonly string[] }

/** The object in a POST or PUT body. Throws 400 when it is not one of this resource. */
export function decodeBody(body: string, def: Definition): Decoded {
  const value = parseJson(body, (why) =>
    badRequest(
      `the object provided is unrecognized (must be of type ${def.kind}): couldn't get version/kind; json parse error: ${why}`,
    ),
  )
  if (!isObject(value))
    throw badRequest(`the object provided is unrecognized (must be of type ${def.kind})`)
  checkKind(value, def, body)
  const typeError = decodeError(value, def)
  if (typeError !== undefined) throw cannotHandle(def, typeError)
  return normalized(value, def)
}

export function parseJson(text: string, error: (why: string) => Error): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw error(text.trim() === '' ? 'EOF' : 'unexpected end of JSON input')
  }
}

function checkKind(value: Readonly<Record<string, unknown>>, def: Definition, body: string) {
  const expected = apiVersionOf(def)
  // built-in kinds are known from the URL, custom ones must say what they are
  if (def.custom && value['kind'] === undefined) throw missing('Kind', def, body)
  if (def.custom && value['apiVersion'] === undefined) throw missing('apiVersion', def, body)
  if (value['kind'] !== undefined && value['kind'] !== def.kind) {
    if (def.custom)
      throw badRequest(
        `the kind in the data (${textOf(value['kind'])}) does not match the expected kind (${def.kind})`,
      )
    throw cannotHandle(
      def,
      `converting (${textOf(value['kind'])}) to (${def.kind}): unknown conversion`,
    )
  }
  if (value['apiVersion'] !== undefined && value['apiVersion'] !== expected)
    throw badRequest(
      `the API version in the data (${textOf(value['apiVersion'])}) does not match the expected API version (${expected})`,
    )
}

function missing(what: string, def: Definition, body: string) {
  return badRequest(
    `the object provided is unrecognized (must be of type ${def.kind}): Object '${what}' is missing in '${body}'`,
  )
}

/** A field that could not be read into the kind's type at all. */
export function decodeError(
  value: Readonly<Record<string, unknown>>,
  def: Definition,
): string | undefined {
  const inMetadata = metadataTypeError(value['metadata'], def)
  if (inMetadata !== undefined) return inMetadata
  return def.decodeError?.(value as KubeJson)
}

/** 400 for an object that is JSON, but not of the kind's types. */
export function cannotHandle(def: Definition, why: string) {
  return badRequest(
    `${def.kind} in version "${def.version}" cannot be handled as a ${def.kind}: ${why}`,
  )
}

/** The object as it will be stored: fields unknown to the schema are dropped and reported. */
export function normalized(value: Readonly<Record<string, unknown>>, def: Definition): Decoded {
  const unknown: string[] = []
  const { apiVersion: _v, kind: _k, metadata, ...rest } = value
  const pruned = def.custom ? (prune(rest, def.schema, '', unknown) as object) : rest
  const object = {
    apiVersion: apiVersionOf(def),
    kind: def.kind,
    metadata: decodedMetadata(metadata, unknown),
    ...pruned,
  }
  return { object, unknown }
}
