import { PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM, POD, VOLUME_ATTACHMENT } from './resources.ts'
import { ApiError } from './types.ts'
import type { KubeClient, KubeObject } from './types.ts'
import { all, found, isRefusal, missing, write } from './uncached.ts'
import type { Fence, Right, WriteAnswer } from './uncached.ts'

/** Raw JSON, as far as a replacement reads it. */
export type RawPersistentVolume = KubeObject & {
  readonly metadata: KubeObject['metadata'] & { readonly finalizers?: readonly string[] }
  readonly spec: Readonly<Record<string, unknown>>
  readonly status?: { readonly phase?: string }
}
export type RawClaim = KubeObject & {
  readonly spec: { readonly volumeName?: string }
  readonly status?: { readonly phase?: string; readonly capacity?: { readonly storage?: string } }
}
export type RawPod = KubeObject & {
  readonly spec: {
    readonly nodeName?: string
    readonly volumes?: readonly {
      readonly name?: string
      readonly persistentVolumeClaim?: { readonly claimName?: string }
      readonly ephemeral?: object
    }[]
  }
  readonly status?: { readonly phase?: string }
}
export type RawAttachment = KubeObject & {
  readonly spec: {
    readonly attacher: string
    readonly nodeName: string
    readonly source: { readonly persistentVolumeName?: string }
  }
  readonly status?: { readonly attached?: boolean }
}

/** Every right that a replacement needs, asked for before anything is touched. */
export const REPLACEMENT_RIGHTS: readonly Right[] = [
  ...['get', 'list', 'create', 'patch', 'delete'].map((verb) => ({
    verb,
    resource: PERSISTENT_VOLUME,
  })),
  ...['get', 'patch'].map((verb) => ({ verb, resource: PERSISTENT_VOLUME_CLAIM })),
  { verb: 'list', resource: POD },
  ...['list', 'delete'].map((verb) => ({ verb, resource: VOLUME_ATTACHMENT })),
]

type OfVolume = { readonly name: string; readonly uid: string; readonly fence: Fence }

/**
 * The API server as a replacement of a PersistentVolume needs it. Reads go to the server itself and throw; writes never
 * throw, and are refused (409, 422) when the object is another one than was meant.
 */
export interface PersistentVolumes {
  get(name: string): Promise<RawPersistentVolume | undefined>
  list(): Promise<readonly RawPersistentVolume[]>
  getClaim(namespace: string, name: string): Promise<RawClaim | undefined>
  /** That use the claim and have not ended. */
  podsOf(namespace: string, claim: string): Promise<readonly RawPod[]>
  attachmentsOf(persistentVolume: string): Promise<readonly RawAttachment[]>
  /** Those of `rights` that the role lacks, as they are shown: `create persistentvolumes`. */
  missing(rights: readonly Right[]): Promise<readonly string[]>
  /** Checked by the server as if it were created; resolves to its refusal, undefined when there is none. */
  tryCreate(manifest: RawPersistentVolume): Promise<string | undefined>
  setReclaimPolicy(of: OfVolume & { readonly policy: string }): Promise<WriteAnswer>
  delete(of: OfVolume): Promise<WriteAnswer>
  /** Leaves `keep` of exactly these finalizers, and only if nobody has written the object since. */
  setFinalizers(
    of: OfVolume & {
      readonly resourceVersion: string
      readonly finalizers: readonly string[]
      readonly keep: readonly string[]
    },
  ): Promise<WriteAnswer>
  create(manifest: RawPersistentVolume, fence: Fence): Promise<WriteAnswer>
  /** The PersistentVolume controller binds a claim again at its next resync, or as soon as the claim changes. */
  annotateClaim(
    of: OfVolume & {
      readonly namespace: string
      readonly annotations: Readonly<Record<string, string>>
    },
  ): Promise<WriteAnswer>
  deleteAttachment(of: OfVolume): Promise<WriteAnswer>
}

export function createPersistentVolumes(client: KubeClient): PersistentVolumes {
  const patch = (
    { name, fence }: OfVolume,
    operations: readonly { op: string; path: string; value?: unknown }[],
  ) =>
    write(fence, (f) => client.patch(PERSISTENT_VOLUME, name, operations, { type: 'json', ...f }))

  return {
    get: (name) => found(client.get<RawPersistentVolume>(PERSISTENT_VOLUME, name)),
    list: () => all<RawPersistentVolume>(client, PERSISTENT_VOLUME),
    getClaim: (namespace, name) =>
      found(client.get<RawClaim>(PERSISTENT_VOLUME_CLAIM, name, namespace)),
    podsOf: async (namespace, claim) =>
      (await all<RawPod>(client, POD, namespace)).filter((pod) => uses(pod, claim)),
    attachmentsOf: async (name) =>
      (await all<RawAttachment>(client, VOLUME_ATTACHMENT)).filter(
        (a) => a.spec.source.persistentVolumeName === name,
      ),
    missing: (rights) => missing(client, rights),
    tryCreate: async (manifest) => {
      try {
        await client.create(PERSISTENT_VOLUME, manifest, { dryRun: true })
        return undefined
      } catch (e) {
        // the one that is to be replaced has the name: everything else has been checked before
        if (e instanceof ApiError && e.reason === 'AlreadyExists') return undefined
        if (e instanceof ApiError && isRefusal(e)) return e.message
        throw e
      }
    },
    setReclaimPolicy: ({ policy, ...of }) =>
      patch(of, [
        { op: 'test', path: '/metadata/uid', value: of.uid },
        { op: 'replace', path: '/spec/persistentVolumeReclaimPolicy', value: policy },
      ]),
    delete: ({ name, uid, fence }) =>
      write(fence, (f) => client.delete(PERSISTENT_VOLUME, name, { uid, ...f })),
    setFinalizers: ({ resourceVersion, finalizers, keep, ...of }) =>
      patch(of, [
        { op: 'test', path: '/metadata/uid', value: of.uid },
        { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion },
        { op: 'test', path: '/metadata/finalizers', value: finalizers },
        keep.length === 0
          ? { op: 'remove', path: '/metadata/finalizers' }
          : { op: 'replace', path: '/metadata/finalizers', value: keep },
      ]),
    create: (manifest, fence) => write(fence, (f) => client.create(PERSISTENT_VOLUME, manifest, f)),
    annotateClaim: ({ namespace, name, uid, annotations, fence }) => {
      const body = { metadata: { uid, annotations } }
      return write(fence, (f) =>
        client.patch(PERSISTENT_VOLUME_CLAIM, name, body, { type: 'merge', namespace, ...f }),
      )
    },
    deleteAttachment: ({ name, uid, fence }) =>
      write(fence, (f) => client.delete(VOLUME_ATTACHMENT, name, { uid, ...f })),
  }
}

/** Succeeded and Failed Pods do not use anything any more. */
function uses({ metadata, spec, status }: RawPod, claim: string): boolean {
  if (status?.phase === 'Succeeded' || status?.phase === 'Failed') return false
  return (spec.volumes ?? []).some(
    (v) =>
      v.persistentVolumeClaim?.claimName === claim ||
      // the claim of a generic ephemeral volume is named by pod and volume
      (v.ephemeral !== undefined && `${metadata.name}-${v.name}` === claim),
  )
}
