import { isFinished } from '../../src/api/volume-migration.ts'
import type { VolumeMigration } from '../../src/api/volume-migration.ts'
import type { TieringCheckpoint } from '../../src/api/tiering-checkpoint.ts'
import type { World } from '../../src/sim/world.ts'
import { worldWith } from '../harness.ts'
import { createVirtualClock } from '../virtual-clock.ts'
import type { VirtualClock } from '../virtual-clock.ts'

const START = Date.UTC(2026, 0, 20, 10, 7)
const LABELS = { app: 'crash' }

/** What must be true of one volume at the end, whatever happened on the way. */
export type Expected = {
  readonly claim: string
  readonly volumeId: string
  readonly tier: string
  /** Retypes Cinder may have begun (202), in all. */
  readonly retypes: number
  /** What the volume holds. */
  readonly data: string
}

export type Scene = {
  readonly clock: VirtualClock
  readonly world: World
  readonly expected: readonly Expected[]
}

type Volume = { name: string; tier: string; iops: number; annotations?: Record<string, string> }

/** A world with one policy that needs little history, so that a run is short. */
function scene(volumes: readonly Volume[], ageHours = 96) {
  const clock = createVirtualClock(START)
  const world = worldWith({ clock })
  const made = volumes.map((v) => ({
    ...v,
    ...world.addClaim({ ...v, namespace: 'default', sizeGiB: 1, labels: LABELS }),
  }))
  for (const claim of world.api.objects('/api/v1/persistentvolumeclaims'))
    world.api.seed({
      ...claim,
      metadata: { ...claim.metadata, creationTimestamp: new Date(START - ageHours * 3_600_000) },
    })
  world.api.seed({
    apiVersion: 'couchestor.io/v1alpha1',
    kind: 'StoragePolicy',
    metadata: { name: 'tiered' },
    spec: {
      selector: { matchLabels: LABELS },
      tiers: [
        { name: 'hot', storageClass: 'couchestor-hot', iopsThreshold: 1000 },
        { name: 'warm', storageClass: 'couchestor-warm', iopsThreshold: 100 },
        { name: 'cold', storageClass: 'couchestor-cold', iopsThreshold: 0 },
      ],
      metrics: { window: '24h' },
    },
  })
  return { clock, world, made }
}

function volume(world: World, { name, id }: { name: string; id: string }) {
  return { claim: name, volumeId: id, data: world.cloud.seams.data(id) }
}

export const SCENARIOS: Readonly<Record<string, () => Scene>> = {
  'an idle volume goes to the cold tier': () => {
    const { clock, world, made } = scene([{ name: 'idle', tier: 'hot', iops: 1 }])
    return {
      clock,
      world,
      expected: [{ ...volume(world, made[0]!), tier: 'cold', retypes: 1 }],
    }
  },
  'a person forces a tier': () => {
    const force = { 'couchestor.io/force-tier': 'warm' }
    const { clock, world, made } = scene([
      { name: 'forced', tier: 'hot', iops: 3000, annotations: force },
    ])
    return {
      clock,
      world,
      expected: [{ ...volume(world, made[0]!), tier: 'warm', retypes: 1 }],
    }
  },
  'Cinder reverts silently once': () => {
    const { clock, world, made } = scene([{ name: 'idle', tier: 'hot', iops: 1 }])
    world.cloud.seams.planRetype(made[0]!.id, 'revertAfterCopy')
    return {
      clock,
      world,
      expected: [{ ...volume(world, made[0]!), tier: 'cold', retypes: 2 }],
    }
  },
  'one goes up while another goes down': () => {
    const { clock, world, made } = scene([
      { name: 'idle', tier: 'hot', iops: 1 },
      { name: 'hurt', tier: 'cold', iops: 5000 },
    ])
    return {
      clock,
      world,
      expected: [
        { ...volume(world, made[0]!), tier: 'cold', retypes: 1 },
        { ...volume(world, made[1]!), tier: 'hot', retypes: 1 },
      ],
    }
  },
}

/** A forced move without history to read: short, for many runs. */
export function forcedMove(): Scene {
  const force = { 'couchestor.io/force-tier': 'cold' }
  const { clock, world, made } = scene(
    [{ name: 'forced', tier: 'hot', iops: 3000, annotations: force }],
    0,
  )
  return { clock, world, expected: [{ ...volume(world, made[0]!), tier: 'cold', retypes: 1 }] }
}

function migrations(world: World): VolumeMigration[] {
  return world.api.objects(
    '/apis/couchestor.io/v1alpha1/volumemigrations',
  ) as unknown as VolumeMigration[]
}

function ledger(world: World) {
  const checkpoints = world.api.objects(
    '/apis/couchestor.io/v1alpha1/tieringcheckpoints',
  ) as unknown as TieringCheckpoint[]
  return checkpoints.flatMap((c) => c.spec.inFlight ?? [])
}

/** Why the world is not yet where it should be; empty = converged. */
export function missing({ world, expected }: Scene): string[] {
  const { seams } = world.cloud
  const why: string[] = []
  for (const e of expected) {
    const volume = seams.volume(e.volumeId)
    const want = seams.volumeType(`couchestor-${e.tier}`).id
    if (volume?.typeId !== want) why.push(`${e.claim} is not on ${e.tier}`)
    if (volume?.status !== 'available') why.push(`${e.claim} is ${volume?.status}`)
    const claim = world.api
      .objects('/api/v1/persistentvolumeclaims')
      .find((c) => c.metadata.name === e.claim)
    if (claim?.metadata.annotations?.['couchestor.io/tier'] !== e.tier)
      why.push(`claim ${e.claim} shows tier ${claim?.metadata.annotations?.['couchestor.io/tier']}`)
    if (claim?.metadata.annotations?.['couchestor.io/last-migration'] === undefined)
      why.push(`claim ${e.claim} shows no last migration`)
  }
  const open = migrations(world).filter((m) => !isFinished(m))
  if (open.length > 0)
    why.push(`open: ${open.map((m) => `${m.metadata.name} ${m.status?.step}`).join()}`)
  if (ledger(world).length > 0) why.push('the ledger is not empty')
  return why
}

/** What must hold at every moment; empty = all well. */
export function broken({ world, expected }: Scene): string[] {
  const { seams } = world.cloud
  return expected.flatMap((e) => {
    const begun = seams.retypesOf(e.volumeId).filter((j) => j.status === 202)
    const twice = begun.length > e.retypes ? [`${e.claim}: ${begun.length} retypes have begun`] : []
    const lost = seams.data(e.volumeId) === e.data ? [] : [`${e.claim}: data lost`]
    return [...twice, ...lost]
  })
}

/** Calls that were needless, even where Cinder has refused them. */
export function needless({ world, expected }: Scene): string[] {
  return expected.flatMap((e) => {
    const asked = world.cloud.seams.retypesOf(e.volumeId).length
    return asked > e.retypes ? [`${e.claim}: Cinder was asked ${asked} times`] : []
  })
}
