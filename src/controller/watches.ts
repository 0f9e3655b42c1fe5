import { parseStoragePolicy } from '../api/parse.ts'
import type { StoragePolicy } from '../api/storage-policy.ts'
import type { VolumeMigration } from '../api/volume-migration.ts'
import { createReflector } from '../kube/reflector.ts'
import * as resources from '../kube/resources.ts'
import type { KubeObject, Reflector, Resource } from '../kube/types.ts'
import type { ControllerDeps } from './deps.ts'
import {
  projectAttachment,
  projectClaim,
  projectClass,
  projectNamespace,
  projectNode,
  projectPod,
  projectVolume,
} from './projections.ts'
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

export function createWatches(deps: ControllerDeps): Watches {
  const watch = <T>(
    resource: Resource,
    project: (raw: KubeObject) => T | undefined,
    more: { indexes?: Record<string, (t: T) => readonly string[]>; optional?: boolean } = {},
  ) =>
    createReflector<T>({
      client: deps.kube,
      resource,
      project,
      clock: deps.processClock,
      random: deps.random,
      log: deps.log,
      metrics: deps.metrics,
      ...more,
    })
  return {
    claims: watch(resources.PERSISTENT_VOLUME_CLAIM, projectClaim, {
      indexes: { volumeName: (c) => (c.volumeName ? [c.volumeName] : []) },
    }),
    volumes: watch(resources.PERSISTENT_VOLUME, projectVolume, {
      indexes: { handle: (v) => [v.handle] },
    }),
    attachments: watch(resources.VOLUME_ATTACHMENT, projectAttachment, {
      indexes: { volumeName: (a) => [a.volumeName] },
    }),
    classes: watch(resources.STORAGE_CLASS, projectClass),
    policies: watch(resources.STORAGE_POLICY, watchedPolicy),
    migrations: watch(resources.VOLUME_MIGRATION, watchedMigration, {
      indexes: {
        claim: (m) => [`${m.metadata.namespace}/${m.spec.claim.name}`],
        volumeId: (m) => [volumeIdOf(m)],
      },
    }),
    namespaces: watch(resources.NAMESPACE, projectNamespace, { optional: true }),
    nodes: watch(resources.NODE, projectNode, { optional: true }),
    pods: watch(resources.POD, projectPod, { indexes: { claim: (p) => p.claims }, optional: true }),
  }
}

function watchedPolicy(raw: KubeObject): WatchedPolicy {
  const parsed = parseStoragePolicy(raw)
  if (parsed.ok) return { policy: parsed.policy, problems: [] }
  return { policy: raw as StoragePolicy, problems: parsed.problems }
}

function watchedMigration(raw: KubeObject): VolumeMigration {
  return raw as VolumeMigration
}

/** The Cinder id that the controller itself derived, else the one the spec claims. */
export function volumeIdOf(m: VolumeMigration): string {
  return m.status?.volumeId ?? m.spec.volume?.id ?? ''
}

export function keyOf(object: { metadata: { namespace?: string; name: string } }): string {
  const { namespace, name } = object.metadata
  return namespace === undefined ? name : `${namespace}/${name}`
}

export function allReflectors(watches: Watches): readonly Reflector<unknown>[] {
  return Object.values(watches) as Reflector<unknown>[]
}
