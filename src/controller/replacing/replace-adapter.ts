import { CINDER_DRIVER } from '../../api/names.ts'
import type { VolumeMigration } from '../../api/volume-migration.ts'
import { createPersistentVolumes, REPLACEMENT_RIGHTS } from '../../kube/persistent-volumes.ts'
import type { PersistentVolumes, RawPersistentVolume } from '../../kube/persistent-volumes.ts'
import { OWN_FINALIZER, savedManifest } from '../../migration/snapshot-restore/manifest.ts'
import type { CostlyFacts, ReplaceFacts } from '../../migration/snapshot-restore/preflight.ts'
import { copyMaker } from '../../migration/snapshot-restore/saved.ts'
import type { Origin, ReplaceAnswer, Saved } from '../../migration/snapshot-restore/saved.ts'
import type { ReplaceSight } from '../../migration/snapshot-restore/sight.ts'
import type { CinderVolume } from '../../openstack/types.ts'
import type { Ports } from '../moving/registered.ts'
import type { Target } from '../view/targets.ts'
import type { ReplacedMove } from './audited-replacement.ts'
import { manifestOf, performAct } from './replace-calls.ts'
import { cinderSeen, handleOf, kubeSeen, specOf } from './replace-sight.ts'

/** How a replacement reaches Kubernetes and Cinder. Decides nothing: that is `nextReplaceStep`. */
export class ReplaceAdapter {
  readonly #ports: Ports
  /** For reads, and for what is asked without being stored. */
  readonly #kube: PersistentVolumes
  readonly #kept = new Map<string, { readonly until: number; readonly facts: CostlyFacts }>()

  constructor(ports: Ports) {
    this.#ports = ports
    this.#kube = createPersistentVolumes(ports.deps.kube)
  }

  /** What preflight wants to know first, asked now. Throws when it could not be asked. */
  async facts(
    target: Target,
    volume: CinderVolume,
  ): Promise<Omit<ReplaceFacts, keyof CostlyFacts>> {
    const { gatherer, inventory, deps } = this.#ports
    const [facts, raw, quotas, backup] = await Promise.all([
      gatherer.gather(target, volume),
      this.#persistentVolume(target),
      inventory.optional('quotas', () => deps.volumes.getQuota()),
      target.via === 'backup' ? this.#backup() : undefined,
    ])
    const { csi, cinder } = specOf(raw)
    return {
      ...facts,
      persistentVolume: {
        driver: csi?.driver ?? (cinder === undefined ? 'another driver' : 'kubernetes.io/cinder'),
        finalizers: raw.metadata.finalizers ?? [],
      },
      quotas,
      ...(backup === undefined ? {} : { backup }),
    }
  }

  async #backup(): Promise<NonNullable<ReplaceFacts['backup']>> {
    return { unavailable: await this.#ports.deps.copies.whyNoBackups() }
  }

  /** The rest of it, asked now. Throws when it could not be asked. */
  async costlyFacts(target: Target, volume: CinderVolume): Promise<CostlyFacts> {
    const [raw, all, lacking, projectId] = await Promise.all([
      this.#persistentVolume(target),
      this.#kube.list(),
      this.#kube.missing(REPLACEMENT_RIGHTS),
      this.#ports.deps.volumes.projectId(),
    ])
    const other = all.find(
      (v) => v.metadata.name !== raw.metadata.name && handleOf(v) === volume.id,
    )
    // without the right to create one the dry run could say nothing else
    const refused =
      lacking.length > 0 || specOf(raw).csi === undefined
        ? []
        : await this.#refused(originOf(SAMPLE, target, volume, { raw, projectId }))
    return {
      ...(other === undefined ? {} : { sharedWith: other.metadata.name }),
      missingRights: [...lacking, ...refused],
    }
  }

  /** As `costlyFacts`, for a move that cannot begin now anyway: ten minutes old at most. */
  async keptCostlyFacts(target: Target, volume: CinderVolume): Promise<CostlyFacts> {
    const now = this.#ports.deps.clock.monotonic()
    for (const [id, { until }] of this.#kept) if (until <= now) this.#kept.delete(id)
    const kept = this.#kept.get(target.claim.uid)
    if (kept !== undefined) return kept.facts
    const facts = await this.costlyFacts(target, volume)
    this.#kept.set(target.claim.uid, { until: now + KEPT_MS, facts })
    return facts
  }

  /** What is saved before the first act. Throws when the PersistentVolume is not, or no longer, that of the target. */
  async open(
    m: VolumeMigration,
    target: Target,
    volume: CinderVolume,
    { clusterId, deadline }: { readonly clusterId: string; readonly deadline: number },
  ): Promise<Saved> {
    const [raw, projectId] = await Promise.all([
      this.#persistentVolume(target),
      this.#ports.deps.volumes.projectId(),
    ])
    const wrong = whyNot(raw, target, volume)
    if (wrong !== undefined)
      throw new Error(`PersistentVolume ${raw.metadata.name} cannot be replaced: ${wrong}`)
    const { uid: moveUid } = m.metadata
    if (moveUid === undefined) throw new Error('a move without a uid')
    const origin = originOf({ clusterId, moveUid }, target, volume, { raw, projectId })
    return { phase: 'Holding', origin, journal: [], deadline }
  }

  /** Never throws, and reads everything from the services themselves. */
  async look(saved: Saved): Promise<ReplaceSight> {
    const { copies, volumes } = this.#ports.deps
    const [kube, cinder] = await Promise.all([
      kubeSeen(this.#kube, saved),
      cinderSeen({ copies, volumes }, saved),
    ])
    return { kube, cinder }
  }

  /**
   * Makes the call of `saved.intent` once, or provably not at all. Throws only where no intent waits for its call. `fence`
   * throws when we do not lead any more.
   */
  perform(saved: Saved, move: ReplacedMove, fence: () => void): Promise<ReplaceAnswer> {
    return performAct(this.#ports.deps, saved, move, fence)
  }

  async #persistentVolume({ volume: { name } }: Target): Promise<RawPersistentVolume> {
    const raw = await this.#kube.get(name)
    if (raw === undefined) throw new Error(`PersistentVolume ${name} is gone`)
    return raw
  }

  /** What the API server says to the two that the move will create, without creating them. */
  async #refused(origin: Origin): Promise<readonly string[]> {
    const copy = { act: copyMaker(origin), id: SAMPLE.moveUid } as const
    const entry = { ...copy, state: 'Done', attempts: 1, requestId: '', at: '' } as const
    const saved = { origin, journal: [entry] }
    const answers = await Promise.all(
      (['held', 'copy'] as const).map((shape) =>
        this.#kube.tryCreate(manifestOf(saved, shape, new Date(0).toISOString())),
      ),
    )
    return [...new Set(answers.flatMap((answer) => answer ?? []))].map(
      (answer) => `create persistentvolumes (a dry run was refused: ${answer})`,
    )
  }
}

const KEPT_MS = 10 * 60_000

/** As long as real ones. */
const SAMPLE = {
  clusterId: '00000000-0000-4000-8000-000000000000',
  moveUid: '00000000-0000-4000-8000-000000000000',
}

/** Why the PersistentVolume is not the one that the target was chosen by. */
function whyNot(
  raw: RawPersistentVolume,
  { claim, volume: known }: Target,
  volume: CinderVolume,
): string | undefined {
  const { csi, claimRef } = specOf(raw)
  const { finalizers = [], deletionTimestamp } = raw.metadata
  if (raw.metadata.uid !== known.uid)
    return `its uid is ${raw.metadata.uid ?? 'missing'}, and was ${known.uid} before`
  if (claimRef?.uid !== claim.uid)
    return `spec.claimRef.uid is ${claimRef?.uid ?? 'missing'}, and that of the claim is ${claim.uid}`
  if (csi?.driver !== CINDER_DRIVER)
    return `spec.csi.driver is ${csi?.driver ?? 'missing'}, and only those of ${CINDER_DRIVER} are replaced`
  if (csi.volumeHandle !== volume.id || known.handle !== volume.id)
    return `spec.csi.volumeHandle is ${csi.volumeHandle}, and the volume that was checked is ${volume.id}`
  if (deletionTimestamp !== undefined) return 'it is being deleted'
  if (finalizers.includes(OWN_FINALIZER))
    return `it has finalizer ${OWN_FINALIZER}: an earlier replacement is not complete`
  return volume.typeId === '' ? 'Cinder does not say which volume type its volume has' : undefined
}

/** Cinder puts these into what it shows by itself. */
const SHOWN_ONLY: ReadonlySet<string> = new Set(['readonly', 'attached_mode'])

function originOf(
  ids: Pick<Origin, 'clusterId' | 'moveUid'>,
  { claim, strategy, via, to, policy }: Target,
  volume: CinderVolume,
  { raw, projectId }: { readonly raw: RawPersistentVolume; readonly projectId: string },
): Origin {
  const { id, typeId, sizeGiB, availabilityZone, bootable, encrypted, metadata } = volume
  const kept = Object.entries(metadata).filter(([key]) => !SHOWN_ONLY.has(key))
  return {
    strategy,
    clusterId: ids.clusterId,
    projectId,
    moveUid: ids.moveUid,
    claim: { namespace: claim.namespace, name: claim.name, uid: claim.uid },
    volume: {
      id,
      typeId,
      sizeGiB,
      availabilityZone,
      bootable,
      encrypted,
      metadata: Object.fromEntries(kept),
    },
    toTypeId: to.typeId,
    ...(via === 'backup' ? { via } : {}),
    migrationPolicy: policy.effective.migration.migrationPolicy,
    manifest: savedManifest(raw),
  }
}
