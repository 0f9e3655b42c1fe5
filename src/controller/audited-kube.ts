import { ANNOTATION, REPLACED_AT } from '../api/names.ts'
import type { VolumeMigration } from '../api/volume-migration.ts'
import type { Audit, OpenCall } from '../audit/audit.ts'
import type { Action, Change, Finding } from '../audit/change.ts'
import { ConnectionError } from '../http.ts'
import {
  PERSISTENT_VOLUME_CLAIM,
  resourceName,
  SELF_SUBJECT_ACCESS_REVIEW,
  SELF_SUBJECT_REVIEW,
  TIERING_CHECKPOINT,
  VOLUME_MIGRATION,
} from '../kube/resources.ts'
import { ApiError, LostLeaseError } from '../kube/types.ts'
import type { KubeClient, Resource } from '../kube/types.ts'
import { kubeReads } from './client-reads.ts'
import type { AuditedKube, Known } from './deps.ts'
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

/** They ask what somebody may do, or who it is: created, answered and never stored. */
const REVIEWS: ReadonlySet<string> = new Set([
  SELF_SUBJECT_ACCESS_REVIEW.group,
  SELF_SUBJECT_REVIEW.group,
])

/** What only the controller itself reads: its memory and its ledger say nothing about volumes of users. */
const OWN_NOTES: ReadonlySet<string> = new Set([TIERING_CHECKPOINT.plural])

/**
 * The API server with an audit of every call that changes something. Statuses and checkpoints are the controller's own
 * notes; any other object has its lines, of whatever kind it is.
 */
export function auditedKube(kube: KubeClient, parts: Parts): AuditedKube {
  const { audit } = parts
  const about = (known: Known) => clientAbout(kube, parts, known, audit.begin.bind(audit))
  const givingBack = (known: Known) => clientAbout(kube, parts, known, audit.beginNow.bind(audit))
  return { audit, ...about({}), about, givingBack }
}

function clientAbout(
  kube: KubeClient,
  { uuid, watches, fence }: Parts,
  known: Known,
  begin: (change: Change) => Promise<OpenCall>,
): KubeClient {
  const call = async <T>(
    asked: Asked,
    change: () => Omit<Change, 'id'>,
    send: () => Promise<T>,
  ): Promise<T> => {
    if (OWN_NOTES.has(asked.resource.plural)) return send()
    const open = await begin({ id: known.id ?? uuid(), ...change(), ...known })
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
    ...kubeReads(kube),
    replace: ({ kind }) =>
      Promise.reject(new Error(`a ${kind} is replaced by the elector only, never from here`)),
    create: (resource, object, options) => {
      const send = () => kube.create(resource, object, options)
      if (options?.dryRun === true || REVIEWS.has(resource.group)) return send()
      const { name, namespace, uid } = object.metadata
      const asked = { resource, name, namespace, uid }
      const change = () => changeOf('create', asked, moveIn(resource, object))
      return call(asked, change, send)
    },
    patch: (resource, name, body, options) => {
      if (options.subresource === 'status') return kube.patch(resource, name, body, options)
      const asked = { resource, name, namespace: options.namespace }
      const change = () => patchOf(asked, readPatch(body), watches())
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

/** A JSON patch says by a test which object it is for. */
function readPatch(body: unknown): Patch {
  if (!Array.isArray(body)) return body as Patch
  const operations = body as readonly { op: string; path: string; value?: unknown }[]
  const tested = operations.find(({ op, path }) => op === 'test' && path === '/metadata/uid')
  return typeof tested?.value === 'string' ? { metadata: { uid: tested.value } } : {}
}

function patchOf(asked: Asked, { metadata, spec }: Patch, watches: Watches): Omit<Change, 'id'> {
  const { resource, name, namespace } = asked
  const action = spec?.cancel === true ? 'update/cancel' : 'update'
  if (resource.plural !== PERSISTENT_VOLUME_CLAIM.plural)
    return changeOf(action, { ...asked, uid: metadata?.uid }, moveOf(asked, watches))
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
  REPLACED_AT,
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
