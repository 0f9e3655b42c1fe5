import { attachmentsOf } from '../../../activity/attachments-of.ts'
import type { VolumeAttachment } from '../../../activity/types.ts'
import { unavailableSource } from '../../../activity/unavailable.ts'
import type { Config } from '../../../api/config.ts'
import { CINDER_DRIVER } from '../../../api/names.ts'
import { DEFAULT_TIMING } from '../../../controller/deps.ts'
import type { ControllerDeps } from '../../../controller/deps.ts'
import type { Inventory } from '../../../controller/view/inventory.ts'
import type { ManagedClaim } from '../../../controller/view/managed.ts'
import { readOnly } from '../../../controller/read-only.ts'
import { wire } from '../../../controller/wire.ts'
import type { Watches } from '../../../controller/view/watches.ts'
import { messageOf } from '../../../errors.ts'
import { createRegistry } from '../../../metrics.ts'
import type { CinderVolume, VolumeService } from '../../../openstack/types.ts'
import type { DoctorDeps } from '../deps.ts'
import type { Fleet, FleetClaim, FleetVolume } from '../facts.ts'
import type { Listed } from './cluster.ts'
import { STRATEGIES } from '../../../controller/strategies.ts'

const HOUR = 3_600_000
/** One of them is enough for a finding. */
const MOST_LOOKS = 20
const REFUSALS: ReadonlySet<string> = new Set([
  'PolicyNotFound',
  'PolicyConflict',
  'MissingPermission',
])

type Parts = {
  readonly deps: DoctorDeps
  readonly config: Config
  readonly listed: Listed
  readonly volumes: VolumeService
}

/** Claims with their policies and volumes, matched by the parts that the controller itself uses. Throws when a list is missing. */
export async function gatherFleet(parts: Parts, signal: AbortSignal): Promise<Fleet> {
  const { watches, refusals } = parts.listed
  for (const kind of ['persistentvolumeclaims', 'persistentvolumes']) {
    const refusal = refusals.get(kind)
    if (refusal !== undefined && !refusal.known) throw new Error(refusal.why)
  }
  const tap = new Tap(parts.volumes)
  const deps = controllerDeps(parts, tap.volumes)
  const { inventory, policies, managed } = wire(deps, watches)
  await inventory.sweep(signal).catch((cause: unknown) => {
    throw new Error(`Cinder: ${inventory.problem ?? messageOf(cause)}`, { cause })
  })
  policies.refresh()
  const conflicts = new Map<string, number>()
  const claims: FleetClaim[] = []
  for (const one of managed.all()) {
    const { match, claim } = one
    if (match.policy !== undefined && match.alsoMatched.length > 0)
      count(conflicts, [match.policy.name, ...match.alsoMatched].toSorted().join(', '))
    if (one.bound !== undefined || match.policy !== undefined || REFUSALS.has(match.reason))
      claims.push(claimOf(one, { watches, inventory, key: `${claim.namespace}/${claim.name}` }))
  }
  return {
    claims: await withProjects(claims, parts.volumes, signal),
    conflicts,
    nodes: [...new Set([...watches.attachments.store.values()].map((a) => a.node))].toSorted(),
    clusters: tap.clusters,
    strays: tap.strays(watches, parts.deps.clock.now()),
    typeOfVolume: tap.types,
    attachments: tap.attachments,
  }
}

/** Cinder lists the volumes of a project, and shows an administrator those of others one by one. */
async function withProjects(
  claims: readonly FleetClaim[],
  volumes: VolumeService,
  signal: AbortSignal,
): Promise<readonly FleetClaim[]> {
  const own = await volumes.projectId(signal)
  const unlisted = claims.filter(
    (c) => c.policy !== undefined && c.driver === 'cinder' && c.volume === undefined,
  )
  const projects = new Map<string, string>()
  for (const { volumeId } of unlisted.slice(0, MOST_LOOKS)) {
    // one that cannot be read, such as an id that is none, is no reason to examine none of the others
    const volume = await volumes.getVolume(volumeId, signal).catch(() => undefined)
    const projectId = volume?.projectId
    if (projectId !== undefined && projectId !== own) projects.set(volumeId, projectId)
  }
  return claims.map((claim) => {
    const otherProject = projects.get(claim.volumeId)
    return otherProject === undefined ? claim : { ...claim, otherProject }
  })
}

function controllerDeps({ deps, config }: Parts, volumes: VolumeService): ControllerDeps {
  return readOnly({
    kube: deps.kube.client,
    volumes,
    sources: () => ({
      Prometheus: unavailableSource('none', 'not asked'),
      Gnocchi: unavailableSource('none', 'not asked'),
    }),
    clock: deps.clock,
    processClock: deps.clock,
    random: deps.random,
    log: deps.log,
    metrics: createRegistry(),
    config: () => config,
    strategies: STRATEGIES,
    timing: DEFAULT_TIMING,
  })
}

type Around = {
  readonly key: string
  readonly watches: Watches
  readonly inventory: Inventory
}

function claimOf({ claim, match, bound }: ManagedClaim, around: Around): FleetClaim {
  const { watches, inventory, key } = around
  const row = bound?.row
  const attachments =
    bound === undefined ? [] : watches.attachments.store.byIndex('volumeName', bound.volume.name)
  const refused = match.policy === undefined && REFUSALS.has(match.reason)
  const volume: FleetVolume | undefined = row && {
    status: row.status,
    sizeGiB: row.sizeGiB,
    typeId: row.typeId,
    typeName: row.typeName,
    zone: row.availabilityZone,
    attached: row.attached || attachments.length > 0,
    multiattach: row.multiattach,
    encrypted: row.encrypted,
    ...(row.groupId === undefined ? {} : { groupId: row.groupId }),
    snapshots: { count: inventory.hasSnapshots(row.id) ? 1 : 0 },
  }
  return {
    key,
    storageClass: claim.storageClass,
    policy: match.policy?.name,
    refusal: refused && match.policy === undefined ? match.message : undefined,
    driver: bound !== undefined ? 'cinder' : claim.bound ? 'other' : 'unbound',
    volumeId: bound?.volume.handle ?? '',
    volume,
    node: attachments[0]?.node,
    attributesClass: claim.attributesClass,
  }
}

/** Notes what the inventory does not keep, while the volumes pass by. */
class Tap {
  readonly volumes: VolumeService
  readonly clusters = new Map<string, number>()
  readonly types = new Map<string, string>()
  readonly attachments: VolumeAttachment[] = []
  readonly #madeByCsi: { id: string; createdAt: number }[] = []

  constructor(inner: VolumeService) {
    const note = (page: readonly CinderVolume[]) => page.forEach((v) => this.#note(v))
    this.volumes = {
      ...inner,
      listVolumes: async function* (options) {
        for await (const page of inner.listVolumes(options)) {
          note(page)
          yield page
        }
      },
    }
  }

  #note(volume: CinderVolume): void {
    const { id, typeId, metadata, createdAt } = volume
    this.attachments.push(...attachmentsOf(volume))
    this.types.set(id, typeId)
    const cluster = metadata[`${CINDER_DRIVER}/cluster`]
    if (cluster !== undefined) count(this.clusters, cluster)
    if (metadata['csi.storage.k8s.io/pv/name'] !== undefined)
      this.#madeByCsi.push({ id, createdAt: Date.parse(createdAt) })
  }

  /** A young one may be on its way to its PersistentVolume. */
  strays(watches: Watches, now: number): readonly string[] {
    const ours = new Set([...watches.volumes.store.values()].map((v) => v.handle))
    return this.#madeByCsi
      .filter((v) => !ours.has(v.id) && now - v.createdAt > HOUR)
      .map((v) => v.id)
  }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}
