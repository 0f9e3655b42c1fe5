import { parseStoragePolicy } from '../../api/parse.ts'
import type { StoragePolicy } from '../../api/storage-policy.ts'
import type { VolumeMigration } from '../../api/volume-migration.ts'
import { UserError } from '../../errors.ts'
import { createReflector } from '../../kube/reflector.ts'
import { isForbidden } from '../../kube/missing-right.ts'
import * as resources from '../../kube/resources.ts'
import { createStore } from '../../kube/store.ts'
import type { KubeObject, Reflector, Resource } from '../../kube/types.ts'
import type { ControllerDeps, OutsideDeps } from '../deps.ts'
import {
  projectAttachment,
  projectClaim,
  projectClass,
  projectNamespace,
  projectNode,
  projectPod,
  projectVolume,
} from './projections.ts'
import { readMigration } from './read-migration.ts'
import type { Attachment, Claim, Class, Namespace, Node, Pod, Volume } from './projections.ts'

/** A policy as it is on the server; `problems` say why a stored one cannot be used. */
export type WatchedPolicy = { readonly policy: StoragePolicy; readonly problems: readonly string[] }

/** Everything we watch. Optional ones may be refused by a smaller role: the rest works without them. */
export type Watches = {
  readonly claims: Reflector<Claim>
  readonly volumes: Reflector<Volume>
  readonly attachments: Reflector<Attachment>
  readonly classes: Reflector<Class>
  readonly policies: Reflector<WatchedPolicy>
  readonly migrations: Reflector<VolumeMigration>
  readonly namespaces: Reflector<Namespace>
  readonly nodes: Reflector<Node>
  readonly pods: Reflector<Pod>
}

type Kind<T> = {
  readonly resource: Resource
  readonly project: (raw: KubeObject) => T | undefined
  readonly indexes?: Record<string, (t: T) => readonly string[]>
  readonly optional?: boolean
}

type Kinds = { readonly [K in keyof Watches]: Kind<StoredIn<Watches[K]>> }
type StoredIn<R> = R extends Reflector<infer T> ? T : never

const KINDS: Kinds = {
  claims: {
    resource: resources.PERSISTENT_VOLUME_CLAIM,
    project: projectClaim,
    indexes: { volumeName: (c) => (c.volumeName ? [c.volumeName] : []) },
  },
  volumes: {
    resource: resources.PERSISTENT_VOLUME,
    project: projectVolume,
    indexes: { handle: (v) => [v.handle] },
  },
  attachments: {
    resource: resources.VOLUME_ATTACHMENT,
    project: projectAttachment,
    indexes: { volumeName: (a) => [a.volumeName] },
  },
  classes: { resource: resources.STORAGE_CLASS, project: projectClass },
  policies: { resource: resources.STORAGE_POLICY, project: watchedPolicy },
  migrations: {
    resource: resources.VOLUME_MIGRATION,
    project: readMigration,
    indexes: {
      claim: (m) => [`${m.metadata.namespace}/${m.spec.claim.name}`],
      volumeId: (m) => (volumeIdOf(m) === '' ? [] : [volumeIdOf(m)]),
    },
  },
  namespaces: { resource: resources.NAMESPACE, project: projectNamespace, optional: true },
  nodes: { resource: resources.NODE, project: projectNode, optional: true },
  pods: {
    resource: resources.POD,
    project: projectPod,
    indexes: { claim: (p) => p.claims },
    optional: true,
  },
}

export function createWatches(deps: ControllerDeps): Watches {
  const watch = <T>({ resource, project, indexes, optional }: Kind<T>) =>
    createReflector<T>({
      client: deps.kube,
      resource,
      project,
      clock: deps.processClock,
      random: deps.random,
      log: deps.log,
      metrics: deps.metrics,
      ...(indexes === undefined ? {} : { indexes }),
      ...(optional === undefined ? {} : { optional }),
    })
  return {
    claims: watch(KINDS.claims),
    volumes: watch(KINDS.volumes),
    attachments: watch(KINDS.attachments),
    classes: watch(KINDS.classes),
    policies: watch(KINDS.policies),
    migrations: watch(KINDS.migrations),
    namespaces: watch(KINDS.namespaces),
    nodes: watch(KINDS.nodes),
    pods: watch(KINDS.pods),
  }
}

type Reads = Pick<OutsideDeps, 'kube' | 'clock'>

/** The same kinds listed once and never watched, for a command that reads once and ends. Throws what a required list throws. */
export async function listOnce(deps: Reads): Promise<Watches> {
  const list = <T>(kind: Kind<T>) => readStill(deps, kind)
  const [claims, volumes, attachments, classes, policies, migrations, namespaces, nodes, pods] =
    await Promise.all([
      list(KINDS.claims),
      list(KINDS.volumes),
      list(KINDS.attachments),
      list(KINDS.classes),
      list(KINDS.policies),
      list(KINDS.migrations),
      list(KINDS.namespaces),
      list(KINDS.nodes),
      list(KINDS.pods),
    ])
  return { claims, volumes, attachments, classes, policies, migrations, namespaces, nodes, pods }
}

const PAGE = 500

async function readStill<T>(
  { kube, clock }: Reads,
  { resource, project, indexes, optional }: Kind<T>,
): Promise<Reflector<T>> {
  const store = createStore<T>({
    ...(indexes === undefined ? {} : { indexes }),
    onListenerError: () => {},
  })
  let missingRule: string | undefined
  try {
    let next: string | undefined
    do {
      const page = await kube.list<KubeObject>(resource, {
        limit: PAGE,
        ...(next === undefined ? {} : { continue: next }),
      })
      for (const raw of page.items) {
        const value = project(raw)
        if (value !== undefined)
          store.set(keyOf(raw), value, raw.metadata.resourceVersion, raw.metadata.uid)
      }
      next = page.continue
    } while (next !== undefined && next !== '')
  } catch (e) {
    if (!isForbidden(e)) throw e
    missingRule = `list ${resources.resourceName(resource)}`
    if (optional !== true) throw missingRight(missingRule, e)
  }
  return {
    store,
    run: () => Promise.resolve(),
    ready: () => Promise.resolve(),
    health: () => ({
      resource: resources.resourceName(resource),
      synced: missingRule === undefined,
      missingRule,
      lastActivity: clock.monotonic(),
      relists: 0,
      watchRestarts: 0,
    }),
  }
}

function missingRight(rule: string, cause: unknown): UserError {
  return new UserError('PermissionMissing', `your account may not ${rule} in the whole cluster`, {
    fix: 'ask for a role with that rule, such as the ClusterRole couchestor',
    cause,
  })
}

function watchedPolicy(raw: KubeObject): WatchedPolicy {
  const parsed = parseStoragePolicy(raw)
  if (parsed.ok) return { policy: parsed.policy, problems: [] }
  return { policy: raw as StoragePolicy, problems: parsed.problems }
}

/** Kubernetes attaches a volume by the name of a PersistentVolume, and more than one may name it. */
export function attachmentsOf(
  { volumes, attachments }: Pick<Watches, 'volumes' | 'attachments'>,
  { handle }: Volume,
): readonly Attachment[] {
  return volumes.store
    .byIndex('handle', handle)
    .flatMap((v) => attachments.store.byIndex('volumeName', v.name))
}

/** The Cinder id that the controller itself derived from claim and PersistentVolume; what the spec says may be any volume. */
export function volumeIdOf(m: VolumeMigration): string {
  return m.status?.volumeId ?? ''
}

export function keyOf(object: { metadata: { namespace?: string; name: string } }): string {
  const { namespace, name } = object.metadata
  return namespace === undefined ? name : `${namespace}/${name}`
}

export function allReflectors(watches: Watches): readonly Reflector<unknown>[] {
  return Object.values(watches) as Reflector<unknown>[]
}
