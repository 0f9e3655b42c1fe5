import { badRequest } from './status.ts'
import type { Definition, KubeJson } from './types.ts'
import { textOf, valueAt } from './types.ts'

export type Predicate = (object: KubeJson) => boolean

/** A label selector in query form. Undefined when it selects everything. */
export function labelSelector(text: string): Predicate | undefined {
  if (text.trim() === '') return undefined
  const tests = splitOutsideBrackets(text).map(labelTest)
  return (object) => {
    const labels = object.metadata.labels ?? {}
    return tests.every((test) => test(labels))
  }
}

type LabelTest = (labels: Readonly<Record<string, string>>) => boolean

const KEY = '([A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?)'

function labelTest(part: string): LabelTest {
  const text = part.trim()
  const set = new RegExp(`^${KEY}\\s+(in|notin)\\s*\\(([^()]*)\\)$`).exec(text)
  if (set) {
    const values = new Set(set[4]!.split(',').map((v) => v.trim()))
    const key = set[1]!
    if (set[3] === 'in') return (labels) => labels[key] !== undefined && values.has(labels[key])
    return (labels) => labels[key] === undefined || !values.has(labels[key])
  }
  const absent = new RegExp(`^!\\s*${KEY}$`).exec(text)
  if (absent) return (labels) => labels[absent[1]!] === undefined
  const equal = new RegExp(
    `^${KEY}\\s*(=|==|!=)\\s*([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$`,
  ).exec(text)
  if (equal) {
    const [key, wanted] = [equal[1]!, equal[4] ?? '']
    if (equal[3] === '!=') return (labels) => labels[key] !== wanted
    return (labels) => labels[key] === wanted
  }
  const number = new RegExp(`^${KEY}\\s*([<>])\\s*(-?\\d+)$`).exec(text)
  if (number) return numberTest(number[1]!, number[3] === '>', Number(number[4]))
  if (new RegExp(`^${KEY}$`).test(text)) return (labels) => labels[text] !== undefined
  throw badRequest(
    `unable to parse requirement: found '${text}', expected: !, identifier, or 'end of string'`,
  )
}

function numberTest(key: string, greater: boolean, bound: number): LabelTest {
  return (labels) => {
    const value = labels[key] === undefined ? NaN : Number(labels[key])
    return greater ? value > bound : value < bound
  }
}

function splitOutsideBrackets(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '(') depth++
    if (text[i] === ')') depth--
    if (text[i] !== ',' || depth > 0) continue
    parts.push(text.slice(start, i))
    start = i + 1
  }
  return [...parts, text.slice(start)]
}

export type FieldSelector = {
  readonly matches: Predicate
  /** `metadata.name=x` was asked: one key instead of a scan. */
  readonly name: string | undefined
}

/** A field selector in query form. Throws 400 for a field the resource does not select by. */
export function fieldSelector(text: string, def: Definition): FieldSelector | undefined {
  if (text.trim() === '') return undefined
  const terms = text.split(/(?<!\\),/).map((part) => fieldTerm(part, def))
  const named = terms.find((t) => t.path === 'metadata.name' && t.equal)
  return {
    name: named?.value,
    matches: (object) =>
      terms.every((t) => (textOf(valueAt(object, t.path)) === t.value) === t.equal),
  }
}

function fieldTerm(part: string, def: Definition) {
  const match = /^([^=!]+)(!=|==|=)(.*)$/.exec(part)
  if (!match) throw badRequest(`invalid selector: '${part}'; can't understand '${part}'`)
  const path = match[1]!
  const known = [
    'metadata.name',
    ...(def.namespaced ? ['metadata.namespace'] : []),
    ...def.selectable,
  ]
  // the real server takes metadata.namespace of cluster-scoped objects too, as an empty text
  if (!known.includes(path) && path !== 'metadata.namespace') throw unknownField(path, def)
  return { path, equal: match[2] !== '!=', value: match[3]!.replace(/\\([,=\\])/g, '$1') }
}

function unknownField(path: string, def: Definition) {
  if (def.custom || def.selectable.length > 0)
    return badRequest(`field label not supported: ${path}`)
  return badRequest(
    `"${path}" is not a known field selector: only "metadata.name", "metadata.namespace"`,
  )
}
