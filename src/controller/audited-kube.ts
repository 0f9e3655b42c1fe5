import { ANNOTATION } from '../api/names.ts'
import type { VolumeMigration } from '../api/volume-migration.ts'
import type { Audit } from '../audit/audit.ts'
import type { Action, Change, Finding } from '../audit/change.ts'
import { ConnectionError } from '../http.ts'
import { resourceName, TIERING_CHECKPOINT, VOLUME_MIGRATION } from '../kube/resources.ts'
import { PERSISTENT_VOLUME_CLAIM } from '../kube/resources.ts'
import { ApiError, LostLeaseError } from '../kube/types.ts'
import type { KubeClient, Resource } from '../kube/types.ts'
import { kubeReads } from './client-reads.ts'
import type { AuditedKube } from './deps.ts'
import { initiatorOf } from './moving/audited-move.ts'
import { keyOf } from './view/watches.ts'
import type { Watches } from './view/watches.ts'

type Parts = {
  readonly audit: Audit
  readonly uuid: () => string
  readonly watches: () => Watches
  /** Asked once more when the line is written: that took its time. */
  readonly fence: () => void
}

/** What a call is about, as far as the client knows. */
type Asked = {
  readonly resource: Resource
  readonly name: string
  readonly namespace?: string | undefined
  readonly uid?: string | undefined
}

/** What only the controller itself reads: its memory and its ledger say nothing about volumes of users. */
const OWN_NOTES: ReadonlySet<string> = new Set([TIERING_CHECKPOINT.plural])

/**
 * The API server with an audit of every call that changes something. Statuses and checkpoints are the controller's own
 * notes; any other object has its lines, of whatever kind it is.
 */
export function auditedKube(kube: KubeClient, { audit, uuid, watches, fence }: Parts): AuditedKube {
  const call = async <T>(
    asked: Asked,
    change: () => Omit<Change, 'id'>,
    send: () => Promise<T>,
  ): Promise<T> => {
    if (OWN_NOTES.has(asked.resource.plural)) return send()
    const open = await audit.begin({ id: uuid(), ...change() })
    try {
      fence()
      const answer = await send()
      await open.ended({ outcome: 'success' })
      return answer
    } catch (e) {
      await open.ended(findingOf(e))
      throw e
    }
  }
  return {
    audit,
    ...kubeReads(kube),
    replace: ({ kind }) =>
      Promise.reject(new Error(`a ${kind} is replaced by the elector only, never from here`)),
    create: (resource, object) => {
      const { name, namespace, uid } = object.metadata
      const asked = { resource, name, namespace, uid }
      const change = () => changeOf('create', asked, moveIn(resource, object))
      return call(asked, change, () => kube.create(resource, object))
    },
    patch: (resource, name, body, options) => {
      if (options.subresource === 'status') return kube.patch(resource, name, body, options)
      const asked = { resource, name, namespace: options.namespace }
      const change = () => patchOf(asked, body as Patch, watches())
      return call(asked, change, () => kube.patch(resource, name, body, options))
    },
    delete: (resource, name, options = {}) => {
      const asked = { resource, name, namespace: options.namespace, uid: options.uid }
      const change = () => changeOf('delete', asked, moveOf(asked, watches()))
      return call(asked, change, () => kube.delete(resource, name, options))
    },
  }
}

function moveIn(resource: Resource, object: unknown): VolumeMigration | undefined {
  return resource.plural === VOLUME_MIGRATION.plural ? (object as VolumeMigration) : undefined
}

function moveOf({ resource, name, namespace }: Asked, watches: Watches) {
  const key = keyOf({ metadata: { name, ...(namespace !== undefined && { namespace }) } })
  return moveIn(resource, watches.migrations.store.get(key))
}

function changeOf(
  action: Action,
  { resource, name, namespace, uid }: Asked,
  move: VolumeMigration | undefined,
): Omit<Change, 'id'> {
  const path = namespace === undefined ? name : `${namespace}/${name}`
  const change = {
    action,
    initiator: { kind: 'controller' } as const,
    target: { typeURI: `data/${resourceName(resource)}`, id: uid ?? path, name: path },
  }
  if (move === undefined) return change
  const { spec } = move
  return {
    ...change,
    // what the controller makes, takes back or clears away by itself is nobody else's wish
    initiator:
      action === 'create' ? initiatorOf(move) : { kind: 'controller', policy: spec.policy },
    claim: { namespace, name: spec.claim.name, uid: spec.claim.uid ?? move.status?.claimUid },
    migration: { namespace, name, uid: move.metadata.uid },
    from: { tier: spec.from },
    to: { tier: spec.to },
  }
}

type Patch = {
  readonly metadata?: {
    readonly uid?: string
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly spec?: { readonly cancel?: boolean }
}

function patchOf(asked: Asked, { metadata, spec }: Patch, watches: Watches): Omit<Change, 'id'> {
  const { resource, name, namespace } = asked
  const action = spec?.cancel === true ? 'update/cancel' : 'update'
  if (resource.plural !== PERSISTENT_VOLUME_CLAIM.plural)
    return changeOf(action, asked, moveOf(asked, watches))
  const before = watches.claims.store.get(`${namespace}/${name}`)
  const uid = metadata?.uid ?? before?.uid
  const to = ours(metadata?.annotations)
  return {
    ...changeOf('update/annotate', { ...asked, uid }, undefined),
    initiator: { kind: 'controller', policy: to[ANNOTATION.matchedPolicy] },
    claim: { namespace, name, uid },
    from: { annotations: ours(before?.annotations) },
    to: { annotations: to },
  }
}

const OURS: readonly string[] = [
  ANNOTATION.tier,
  ANNOTATION.matchedPolicy,
  ANNOTATION.lastMigration,
]

/** What owners write on their claims is theirs, and is no part of any line. */
function ours(annotations: Readonly<Record<string, string>> = {}) {
  return Object.fromEntries(Object.entries(annotations).filter(([name]) => OURS.includes(name)))
}

function findingOf(e: unknown): Finding {
  const failed = (code: string): Finding => ({
    outcome: 'failure',
    reason: { type: 'couchestor.io', code },
  })
  if (e instanceof ApiError)
    return { outcome: 'failure', reason: { type: 'HTTP', code: String(e.status) } }
  if (e instanceof LostLeaseError) return failed('LostLease')
  return e instanceof ConnectionError && !e.sent ? failed('NotSent') : { outcome: 'unknown' }
}
