import { createHash } from 'node:crypto'
import type { Metric } from './metric.ts'

/** A resource of type `instance_disk`. */
export type Resource = {
  readonly id: string
  readonly originalId: string
  readonly name: string
  readonly instanceId: string
  readonly creator: { readonly userId: string; readonly projectId: string }
  readonly startedAt: string
  endedAt: string | null
  /** By name. */
  readonly metrics: Map<string, Metric>
}

const NAMESPACE = Buffer.from('0a7a15ffaa134ac2897c9bdf30ce175b', 'hex')
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/

export const isUuid = (text: unknown): boolean => typeof text === 'string' && UUID.test(text)

/** A name-based UUID of the id and who made it: another user's resource of the same id is another resource. */
export function resourceId(originalId: string, creator: Resource['creator']): string {
  if (isUuid(originalId)) return originalId
  const name = `${originalId}\0${creator.userId}:${creator.projectId}`
  const hash = createHash('sha1').update(NAMESPACE).update(name).digest()
  hash[6] = (hash[6]! & 0x0f) | 0x50
  hash[8] = (hash[8]! & 0x3f) | 0x80
  const hex = hash.toString('hex')
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20, 32),
  ].join('-')
}

/** The resource as the API shows it. */
export function resourceView(r: Resource): Record<string, unknown> {
  return {
    creator: `${r.creator.userId}:${r.creator.projectId}`,
    started_at: r.startedAt,
    revision_start: r.startedAt,
    ended_at: r.endedAt,
    user_id: null,
    project_id: null,
    original_resource_id: r.originalId,
    id: r.id,
    type: 'instance_disk',
    name: r.name,
    instance_id: r.instanceId,
    revision_end: null,
    metrics: Object.fromEntries([...r.metrics.values()].map((m) => [m.name, m.id])),
    created_by_user_id: r.creator.userId,
    created_by_project_id: r.creator.projectId,
  }
}

/** Attributes that a search may name. */
export function attributeOf(r: Resource, name: string): unknown {
  return resourceView(r)[name]
}
