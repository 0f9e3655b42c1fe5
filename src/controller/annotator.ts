import { ANNOTATION } from '../api/names.ts'
import { PERSISTENT_VOLUME_CLAIM } from '../kube/resources.ts'
import { ApiError } from '../kube/types.ts'
import type { KubeClient, QueueResult } from '../kube/types.ts'
import type { Claim } from './projections.ts'

export type Shown = {
  readonly tier: string
  readonly policy: string
  readonly lastMigration?: string
}

/** Writes what a person sees on the claim, by server-side apply and only when it changes. */
export class Annotator {
  readonly #client: KubeClient
  readonly #claim: (key: string) => Claim | undefined
  readonly #wanted: (claim: Claim) => Shown | undefined

  constructor(
    client: KubeClient,
    claim: (key: string) => Claim | undefined,
    wanted: (claim: Claim) => Shown | undefined,
  ) {
    this.#client = client
    this.#claim = claim
    this.#wanted = wanted
  }

  async reconcile(key: string): Promise<QueueResult> {
    const claim = this.#claim(key)
    if (claim === undefined || claim.terminating) return { kind: 'done' }
    const shown = this.#wanted(claim)
    const annotations = shown === undefined ? {} : annotationsOf(shown)
    if (isShown(claim, annotations)) return { kind: 'done' }
    try {
      await this.#client.patch(
        PERSISTENT_VOLUME_CLAIM,
        claim.name,
        {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: { name: claim.name, namespace: claim.namespace, uid: claim.uid, annotations },
        },
        { type: 'apply', force: true, namespace: claim.namespace },
      )
    } catch (e) {
      // deleted or re-created meanwhile: the watch tells of the new one
      if (e instanceof ApiError && (e.status === 404 || e.status === 409 || e.status === 422))
        return { kind: 'done' }
      throw e
    }
    return { kind: 'done' }
  }
}

const OURS = [ANNOTATION.tier, ANNOTATION.matchedPolicy, ANNOTATION.lastMigration] as const

function annotationsOf(shown: Shown): Readonly<Record<string, string>> {
  return {
    [ANNOTATION.tier]: shown.tier,
    [ANNOTATION.matchedPolicy]: shown.policy,
    ...(shown.lastMigration === undefined
      ? {}
      : { [ANNOTATION.lastMigration]: shown.lastMigration }),
  }
}

function isShown(claim: Claim, annotations: Readonly<Record<string, string>>): boolean {
  return OURS.every((name) => claim.annotations[name] === annotations[name])
}
