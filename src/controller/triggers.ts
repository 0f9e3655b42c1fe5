import { API_VERSION } from '../api/names.ts'
import { EVENT_REASONS } from '../api/event-reasons.ts'
import { isFinished } from '../api/volume-migration.ts'
import type { VolumeMigration } from '../api/volume-migration.ts'
import type { QueueResult, WorkQueue } from '../kube/types.ts'
import type { ControllerDeps } from './deps.ts'
import type { Endings } from './moving/endings.ts'
import type { Detachments } from './view/detachments.ts'
import type { Drift } from './planning/drift.ts'
import type { Inventory } from './view/inventory.ts'
import type { Managed } from './view/managed.ts'
import type { Migrations } from './view/migrations.ts'
import type { Planner } from './planning/planner.ts'
import type { Policies } from './view/policies.ts'
import type { Claim } from './view/projections.ts'
import type { StatusWriter } from './reporting/status-writer.ts'
import { whyUnreadable } from './view/read-migration.ts'
import { keyOf } from './view/watches.ts'
import type { Watches } from './view/watches.ts'
import type { WindowLoop } from './planning/window-loop.ts'

export type TriggerParts = {
  /** Nothing needs to be remembered of that move any more. */
  readonly onMigrationGone: (m: VolumeMigration) => void
  /** A Pod or an attachment of that claim (`namespace/name`) has come, changed or gone. */
  readonly onClaimUsed: (key: string) => void
  readonly deps: ControllerDeps
  readonly watches: Watches
  readonly inventory: Inventory
  readonly managed: Managed
  readonly migrations: Migrations
  readonly policies: Policies
  readonly planner: Planner
  readonly drift: Drift
  readonly detachments: Detachments
  readonly status: StatusWriter
  readonly windows: WindowLoop
  readonly endings: Pick<Endings, 'old'>
  readonly holdsPlace: (m: VolumeMigration) => boolean
  readonly queues: {
    readonly moves: WorkQueue
    readonly claims: WorkQueue
    readonly annotations: WorkQueue
  }
}

/** Cinder needs a moment after Kubernetes has detached. */
const DETACH_LOOKS_MS = 2000
const MOST_DETACH_READS = 30

/** What wakes whom: every change in the cluster ends as a key in one of the queues. */
export class Triggers {
  readonly #parts: TriggerParts
  /** Claims whose volume must be re-read from Cinder before evaluation, with the attempts so far. */
  readonly #readFirst = new Map<string, number>()

  constructor(parts: TriggerParts) {
    this.#parts = parts
  }

  /** Subscribes to all stores and puts the moves that are there into their queue. Returns the unsubscribe. */
  start(): () => void {
    const { watches, queues, policies, windows } = this.#parts
    const policyChanged = () => {
      policies.refresh()
      windows.kick()
    }
    const stops = [
      watches.migrations.store.subscribe(({ key, before, after }) => {
        if (before !== undefined && before.metadata.uid !== after?.metadata.uid)
          this.#parts.onMigrationGone(before)
        if (after !== undefined) queues.moves.add(key, { priority: 'user' })
        this.#parts.status.kick()
      }),
      watches.claims.store.subscribe(({ key, before, after }) =>
        this.#claimChanged(key, before, after),
      ),
      watches.volumes.store.subscribe(({ after }) => {
        if (after !== undefined) queues.claims.add(after.claimKey)
      }),
      watches.attachments.store.subscribe(({ before, after }) =>
        this.#attachmentChanged((after ?? before)?.volumeName),
      ),
      watches.pods.store.subscribe(({ before, after }) => {
        const { namespace = '', claims = [] } = after ?? before ?? {}
        for (const name of claims) this.#parts.onClaimUsed(`${namespace}/${name}`)
      }),
      watches.policies.store.subscribe(({ before, after }) => {
        if (before?.policy.metadata.generation !== after?.policy.metadata.generation)
          policyChanged()
      }),
      watches.classes.store.subscribe(policyChanged),
      watches.namespaces.store.subscribe(({ before, after }) => {
        if (!sameLabels(before?.labels, after?.labels)) windows.kickForClaims()
      }),
    ]
    for (const m of watches.migrations.store.values()) queues.moves.add(keyOf(m))
    return () => stops.forEach((stop) => stop())
  }

  /** Judges one claim; reads its volume first where the snapshot of Cinder may be old. */
  async reconcile(key: string): Promise<QueueResult> {
    const { managed, inventory, planner, drift, queues, windows } = this.#parts
    const m = managed.claim(key)
    const handle = m?.bound?.volume.handle
    if (handle !== undefined && m?.match.policy !== undefined) {
      const reads = this.#readFirst.get(key)
      if (reads !== undefined || m.bound?.row === undefined) await inventory.readVolume(handle)
      if (m.bound?.row === undefined) windows.kickForClaims()
      if (reads !== undefined && this.#stillDetaching(key, reads, handle))
        return { kind: 'requeue', afterMs: DETACH_LOOKS_MS }
    }
    this.#readFirst.delete(key)
    drift.check(key)
    await planner.claim(key)
    queues.annotations.add(key)
    return { kind: 'done' }
  }

  /** A step of a migration is saved: the view of the claim has changed. */
  stepTaken(m: VolumeMigration): void {
    const { queues, status, holdsPlace } = this.#parts
    status.kick()
    if (isFinished(m))
      queues.claims.add(`${m.metadata.namespace}/${m.spec.claim.name}`, { priority: 'user' })
    // what cannot start leaves its place to the next one
    if (isFinished(m) || !holdsPlace(m)) this.#parts.planner.fillSoon(m.spec.policy)
  }

  /** On the object itself, for as long as it stays so. */
  reportUnreadable(): void {
    const { deps, migrations } = this.#parts
    for (const m of migrations.unreadable()) {
      const { namespace = '', name, uid } = m.metadata
      const about = { apiVersion: API_VERSION, kind: 'VolumeMigration', namespace, name }
      const why = whyUnreadable(m) ?? ''
      deps.log.warn({ migration: keyOf(m), why }, 'a VolumeMigration cannot be read')
      deps.events.event(
        { ...about, ...(uid === undefined ? {} : { uid }) },
        EVENT_REASONS.Unreadable.type,
        'Unreadable',
        why,
      )
    }
  }

  /** Objects of moves that ended long ago are removed in their queue, after whatever else is done to them. */
  retireOld(): void {
    for (const m of this.#parts.endings.old())
      this.#parts.queues.moves.add(keyOf(m), { priority: 'background' })
  }

  /** The API server refused an object of that claim's move: the others of its policy go on. */
  refused(key: string, policy: string): void {
    const { queues, status, planner } = this.#parts
    queues.claims.add(key, { priority: 'background' })
    status.kick()
    planner.fillSoon(policy)
  }

  #claimChanged(key: string, before: Claim | undefined, after: Claim | undefined): void {
    const { queues, windows } = this.#parts
    // in a soak nothing else would show for minutes that it is gone
    if (after === undefined) this.#parts.onClaimUsed(key)
    if (after === undefined || before === undefined || !sameToUs(before, after))
      queues.claims.add(key, { priority: 'user' })
    if (after !== undefined) queues.annotations.add(key)
    if (
      before?.bound !== after?.bound ||
      before?.annotations['couchestor.io/policy'] !== after?.annotations['couchestor.io/policy']
    )
      windows.kickForClaims()
  }

  #attachmentChanged(volumeName: string | undefined): void {
    if (volumeName === undefined) return
    const handle = this.#parts.watches.volumes.store.get(volumeName)?.handle
    if (handle !== undefined) this.#parts.detachments.interrupt(handle)
    for (const c of this.#parts.watches.claims.store.byIndex('volumeName', volumeName)) {
      const key = `${c.namespace}/${c.name}`
      this.#parts.onClaimUsed(key)
      this.#readFirst.set(key, 0)
      this.#parts.queues.claims.add(key, { priority: 'user' })
      for (const m of this.#parts.migrations.open())
        if (`${m.metadata.namespace}/${m.spec.claim.name}` === key)
          this.#parts.queues.moves.add(keyOf(m))
    }
  }

  #stillDetaching(key: string, reads: number, handle: string): boolean {
    const { inventory, watches, managed, queues, migrations } = this.#parts
    const volume = managed.claim(key)?.bound?.volume
    const attachments =
      volume === undefined ? [] : watches.attachments.store.byIndex('volumeName', volume.name)
    const row = inventory.row(handle)
    const settled =
      attachments.length > 0 || row === undefined || !(row.attached || row.status === 'detaching')
    if (!settled && reads < MOST_DETACH_READS) {
      this.#readFirst.set(key, reads + 1)
      return true
    }
    for (const m of migrations.ofVolume(handle)) if (!isFinished(m)) queues.moves.add(keyOf(m))
    return false
  }
}

function sameLabels(a: Claim['labels'] | undefined, b: Claim['labels'] | undefined): boolean {
  return JSON.stringify(a ?? {}) === JSON.stringify(b ?? {})
}

/** Labels and our own outgoing annotations aside, did anything change that a verdict depends on? */
function sameToUs(a: Claim, b: Claim): boolean {
  const inputs = (c: Claim) => [
    c.uid,
    c.bound,
    c.terminating,
    c.resizing,
    c.volumeName,
    c.attributesClass,
    JSON.stringify(c.labels),
    ...['policy', 'force-tier', 'force-until', 'paused'].map(
      (name) => c.annotations[`couchestor.io/${name}`],
    ),
  ]
  const [x, y] = [inputs(a), inputs(b)]
  return x.every((value, i) => value === y[i])
}
