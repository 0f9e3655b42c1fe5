import type { Clock } from '../../clock.ts'
import { ANNOTATION } from '../../api/names.ts'
import { PERSISTENT_VOLUME_CLAIM } from '../../kube/resources.ts'
import { ApiError } from '../../kube/types.ts'
import type { QueueResult } from '../../kube/types.ts'
import type { AuditedKube } from '../deps.ts'
import type { Claim } from '../view/projections.ts'

export type Shown = {
  readonly tier: string
  readonly policy: string
  readonly lastMigration?: string
}

/** How often in a row, and when the next write is due (monotonic). */
type Pause = { readonly times: number; readonly until: number }

type Due = { readonly claim: Claim; readonly annotations: Readonly<Record<string, string>> }

/** Writes what a person sees on the claim, by server-side apply and only when it changes. */
export class Annotator {
  readonly #client: AuditedKube
  readonly #claim: (key: string) => Claim | undefined
  readonly #wanted: (claim: Claim) => Shown | undefined

  readonly #clock: Clock
  /** Throws when we do not lead any more. */
  readonly #fence: () => void
  /** By namespace: writes refused in a row. */
  readonly #refused = new Map<string, Pause>()
  /** By uid of the claim: writes that came close on one another, the oldest first. */
  readonly #written = new Map<string, Pause & { readonly at: number }>()

  constructor(
    client: AuditedKube,
    claim: (key: string) => Claim | undefined,
    wanted: (claim: Claim) => Shown | undefined,
    clock: Clock,
    fence: () => void,
  ) {
    this.#clock = clock
    this.#fence = fence
    this.#client = client
    this.#claim = claim
    this.#wanted = wanted
  }

  /** The claim shows something else than it should. */
  isStale(key: string): boolean {
    return this.#dueFor(key) !== undefined
  }

  /** What has to be written to that claim; undefined = it shows it, or is on its way out. */
  #dueFor(key: string): Due | undefined {
    const claim = this.#claim(key)
    if (claim === undefined || claim.terminating) return undefined
    const shown = this.#wanted(claim)
    const annotations = shown === undefined ? {} : annotationsOf(shown)
    return isShown(claim, annotations) ? undefined : { claim, annotations }
  }

  async reconcile(key: string): Promise<QueueResult> {
    const due = this.#dueFor(key)
    if (due === undefined) return { kind: 'done' }
    const { claim, annotations } = due
    const until = Math.max(
      this.#refused.get(claim.namespace)?.until ?? 0,
      this.#written.get(claim.uid)?.until ?? 0,
    )
    const waitMs = until - this.#clock.monotonic()
    if (waitMs > 0) return { kind: 'requeue', afterMs: waitMs }
    try {
      await this.#client.patch(
        PERSISTENT_VOLUME_CLAIM,
        claim.name,
        {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: { name: claim.name, namespace: claim.namespace, uid: claim.uid, annotations },
        },
        // one that was suspended wakes with an old view, and would write against its successor
        { type: 'apply', force: true, namespace: claim.namespace, fence: this.#fence },
      )
    } catch (e) {
      // deleted or re-created meanwhile: the watch reports the new one
      if (e instanceof ApiError && (e.status === 404 || e.status === 409 || e.status === 422))
        return { kind: 'done' }
      this.#failedIn(claim.namespace)
      throw e
    }
    this.#refused.delete(claim.namespace)
    this.#wrote(claim.uid)
    return { kind: 'done' }
  }

  /** Each write has its lines in the audit: an owner who takes ours away again and again must not fill its disk. */
  #wrote(uid: string): void {
    const now = this.#clock.monotonic()
    for (const [old, { at }] of this.#written) {
      if (at + CLOSE_MS > now) break
      this.#written.delete(old)
    }
    const times = (this.#written.get(uid)?.times ?? 0) + 1
    this.#written.delete(uid)
    this.#written.set(uid, { times, at: now, until: now + pauseMs(times - FREE_WRITES) })
  }

  /** A namespace whose webhook refuses, or hangs, must not keep the few workers from the others. */
  #failedIn(namespace: string): void {
    const times = (this.#refused.get(namespace)?.times ?? 0) + 1
    const until = this.#clock.monotonic() + pauseMs(times - REFUSED_NAMESPACE)
    this.#refused.set(namespace, { times, until })
  }
}

/** So many claims of a namespace refused in a row: it is the namespace. */
const REFUSED_NAMESPACE = 3
const FIRST_PAUSE_MS = 10_000
const LONGEST_PAUSE_MS = 5 * 60_000
/** So many writes to one claim, each less than this after the one before, need no pause. */
const FREE_WRITES = 5
const CLOSE_MS = 2 * LONGEST_PAUSE_MS

function pauseMs(over: number): number {
  return over < 0 ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** over, LONGEST_PAUSE_MS)
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
