import type { Dice } from '../seeded.ts'
import type { Action } from './actions.ts'
import { makeUnbound, resize, startWaitingPod } from './claims.ts'
import { claimPath } from './cluster.ts'
import { COMMON, NAMESPACES, POLICY_NAMES, TIERS } from './names.ts'
import { anyClaim, claimsThat, tierWithVolumes } from './touchable.ts'
import type { Universe } from './universe.ts'

const MINUTE = 60_000
const OBJECTS = '/apis/couchestor.io/v1alpha1/namespaces'

/** What tenants do beside using their volumes: claims that come and go, and objects that claim too much. */
export const TENANT_ACTIONS: readonly Action[] = [
  { name: 'a claim is made again', weight: 3, run: makeAgain },
  { name: 'a claim grows', weight: 2, run: grow },
  { name: 'a claim stays unbound', weight: 1, run: makeOne },
  { name: 'unbound claims are moved by hand', weight: 2, run: moveUnbound },
  { name: 'an unbound claim names a volume', weight: 2, run: nameVolume },
  { name: 'a protected move is deleted', weight: 2, run: deleteProtected },
  { name: 'tiers are invented', weight: 1, run: inventTiers },
  { name: 'a Pod with a claim of its own waits', weight: 2, run: waitWithOwnClaim },
  { name: 'claims are annotated all the time', weight: 1, run: annotateAllTheTime },
]

/** Deleted and applied again, as people do; now and then while the watches are broken, so that one list shows both. */
async function makeAgain(universe: Universe, dice: Dice): Promise<void> {
  const { cluster, world } = universe
  const claim = dice.pick(claimsThat(universe, (c) => cluster.pods(c).length === 0))
  const unseen = dice.chance(0.3)
  const tier = tierWithVolumes(universe, dice)
  const app = dice.one([...POLICY_NAMES, COMMON])
  if (claim === undefined || tier === undefined) return
  const { namespace, name } = claim
  if (unseen) world.api.cutWatches('expired')
  await cluster.request('DELETE', claimPath(claim))
  await cluster.tick()
  if (cluster.claims.has(claim.key)) return
  const labels = { app }
  cluster.provision({ namespace, name, tier, sizeGiB: 2, iops: 1, labels, ageHours: 0 })
}

function grow(universe: Universe, dice: Dice): void {
  const claim = anyClaim(universe, dice)
  const sizeGiB = dice.one([40, 200])
  if (claim !== undefined) resize(universe, claim, sizeGiB)
}

function makeOne(universe: Universe, dice: Dice): { namespace: string; name: string } {
  const namespace = dice.one(NAMESPACES)
  const name = `unbound-${dice.int(6)}`
  makeUnbound(universe, namespace, name, { app: dice.one([...POLICY_NAMES, COMMON, COMMON]) })
  return { namespace, name }
}

async function moveUnbound(universe: Universe, dice: Dice): Promise<void> {
  for (let i = 0; i < 5; i++) {
    const { namespace, name } = makeOne(universe, dice)
    await createMove(universe, dice, namespace, { claim: { name } })
  }
}

async function nameVolume(universe: Universe, dice: Dice): Promise<void> {
  const { namespace, name } = makeOne(universe, dice)
  const theirs = dice.pick(universe.cluster.living)
  if (theirs === undefined) return
  const volume = dice.one([{ id: theirs.volumeId, pv: theirs.pv }, { id: theirs.volumeId }])
  await createMove(universe, dice, namespace, { claim: { name }, volume })
}

async function createMove(universe: Universe, dice: Dice, namespace: string, spec: object) {
  const policy = dice.one([...POLICY_NAMES, COMMON, COMMON])
  await universe.cluster.request('POST', `${OBJECTS}/${namespace}/volumemigrations`, {
    apiVersion: 'couchestor.io/v1alpha1',
    kind: 'VolumeMigration',
    metadata: { name: `by-hand-${dice.int(1e9)}` },
    spec: { policy, reason: 'Manual', to: dice.one(TIERS), ...spec },
  })
}

/** A finalizer of somebody else keeps the object. */
async function deleteProtected(universe: Universe, dice: Dice): Promise<void> {
  const move = dice.pick(universe.moves())
  if (move === undefined) return
  const url = `${OBJECTS}/${move.metadata.namespace}/volumemigrations/${move.metadata.name}`
  await universe.cluster.merge(url, { metadata: { finalizers: ['example.com/audit'] } })
  await universe.cluster.request('DELETE', url)
}

async function inventTiers(universe: Universe, dice: Dice): Promise<void> {
  const claim = anyClaim(universe, dice)
  if (claim === undefined) return
  await every(universe, 15_000, 40, () =>
    universe.cluster.annotate(claim, {
      'couchestor.io/force-tier': `nowhere-${dice.int(1e6)}`,
      'couchestor.io/force-until': null,
    }),
  )
}

/** A generic ephemeral volume: the claim is named after Pod and volume, and belongs to the Pod. */
async function waitWithOwnClaim(universe: Universe, dice: Dice): Promise<void> {
  const namespace = dice.one(NAMESPACES)
  const pod = `worker-${dice.int(8)}`
  const app = dice.one([...POLICY_NAMES, COMMON])
  const tier = tierWithVolumes(universe, dice)
  const wanted = dice.one(TIERS)
  if (universe.cluster.claims.has(`${namespace}/${pod}-scratch`) || tier === undefined) return
  universe.cluster.provision({
    namespace,
    name: `${pod}-scratch`,
    tier,
    sizeGiB: 1,
    iops: 1,
    labels: { app },
    annotations: { 'couchestor.io/force-tier': wanted },
    ageHours: 96,
  })
  await startWaitingPod(universe, namespace, pod, 'scratch')
}

async function annotateAllTheTime(universe: Universe, dice: Dice): Promise<void> {
  const claims = claimsThat(universe, () => true)
  await every(universe, 2000, 300, async () => {
    const claim = dice.pick(claims)
    const annotations = { 'example.com/seen': String(dice.int(1e9)) }
    if (claim !== undefined) await universe.cluster.annotate(claim, annotations)
  })
}

/** Does it now, and again while time passes. */
async function every(
  { clock }: Universe,
  ms: number,
  times: number,
  work: () => Promise<unknown>,
): Promise<void> {
  await work()
  for (let i = 1; i < times && i * ms < 10 * MINUTE; i++) clock.setTimer(i * ms, () => void work())
}
