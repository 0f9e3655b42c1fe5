import { ConnectionLost } from '../connection-lost.ts'
import { attributeOf, isUuid } from './resource.ts'
import type { Resource } from './resource.ts'

/**
 * Whether the resource fits a search: `{"=": {attribute: value}}`, `{"in": {attribute: [values]}}`, `and`, `or`. At
 * anything else, an empty list or an id that is none, the real service falls over and the connection ends.
 */
export function fits(resource: Resource, search: unknown): boolean {
  const [operator, operand] = onlyEntry(search)
  if (operator === 'and' && Array.isArray(operand)) return operand.every((s) => fits(resource, s))
  if (operator === 'or' && Array.isArray(operand)) return operand.some((s) => fits(resource, s))
  const [attribute, wanted] = onlyEntry(operand)
  const values: unknown[] = operator === 'in' && Array.isArray(wanted) ? wanted : [wanted]
  if ((operator !== 'in' && operator !== '=') || values.length === 0) throw new ConnectionLost()
  if (attribute === 'instance_id' && !values.every(isUuid)) throw new ConnectionLost()
  return values.includes(attributeOf(resource, attribute))
}

function onlyEntry(value: unknown): readonly [string, unknown] {
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : []
  const [entry] = entries
  if (entry === undefined || entries.length !== 1) throw new ConnectionLost()
  return entry
}
