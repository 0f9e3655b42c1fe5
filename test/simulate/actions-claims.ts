import { isFinished } from '../../src/api/volume-migration.ts'
import type { Dice } from '../seeded.ts'
import type { Action } from './actions.ts'
import { claimPath } from './cluster.ts'
import { COMMON, NAMESPACES, POLICY_NAMES, TIERS } from './names.ts'
import { anyClaim, claimsThat, tierWithVolumes } from './touchable.ts'
import type { Universe } from './universe.ts'

// What owners do with their claims.

const MINUTE = 60_000

export function onClaim(annotations: Readonly<Record<string, string | null>>): Action['run'] {
  return async (universe, dice) => {
    const claim = anyClaim(universe, dice)
    if (claim !== undefined) await universe.cluster.annotate(claim, annotations)
  }
}

export function makeClaim(universe: Universe, dice: Dice): void {
  const { cluster } = universe
  const namespace = dice.one(NAMESPACES)
  const name = `data-${dice.int(12)}`
  const tier = tierWithVolumes(universe, dice)
  if (cluster.claims.has(`${namespace}/${name}`) || tier === undefined) return
  cluster.provision({
    namespace,
    name,
    tier,
    sizeGiB: 1 + dice.int(20),
    iops: dice.one([0, 1, 50, 300, 2000, 5000]),
    labels: { app: dice.one([...POLICY_NAMES, COMMON]) },
    ageHours: dice.one([0, 2, 96, 200]),
  })
}

export async function deleteClaim(universe: Universe, dice: Dice): Promise<void> {
  const claim = anyClaim(universe, dice)
  if (claim !== undefined) await universe.cluster.request('DELETE', claimPath(claim))
}

/** As a StatefulSet or a restored backup does: the same name, another claim; often while a move of it waits. */
export async function remakeClaim(universe: Universe, dice: Dice): Promise<void> {
  const { cluster } = universe
  const open = universe.moves().filter((m) => !isFinished(m))
  const waiting = claimsThat(universe, (c) => open.some((m) => m.spec.claim.name === c.name))
  const claim = (dice.chance(0.5) ? dice.pick(waiting) : undefined) ?? anyClaim(universe, dice)
  if (claim === undefined) return
  await cluster.request('DELETE', claimPath(claim))
  await cluster.tick()
  const tier = tierWithVolumes(universe, dice)
  if (cluster.claims.has(claim.key) || tier === undefined) return
  cluster.provision({
    namespace: claim.namespace,
    name: claim.name,
    tier,
    sizeGiB: 1 + dice.int(20),
    iops: claim.load.iops,
    labels: { app: dice.one(POLICY_NAMES) },
    ageHours: 0,
  })
}

export async function force(universe: Universe, dice: Dice): Promise<void> {
  const used = claimsThat(universe, (c) => universe.cluster.volume(c)?.status === 'in-use')
  const claim = (dice.chance(0.4) ? dice.pick(used) : undefined) ?? anyClaim(universe, dice)
  const tier = dice.one([...TIERS, ...TIERS, 'nowhere'])
  if (claim !== undefined)
    await universe.cluster.annotate(claim, {
      'couchestor.io/force-tier': tier,
      'couchestor.io/force-until': null,
    })
}

export async function forceUntil(universe: Universe, dice: Dice): Promise<void> {
  const claim = anyClaim(universe, dice)
  const in30Minutes = new Date(universe.clock.now() + 30 * MINUTE).toISOString()
  if (claim !== undefined)
    await universe.cluster.annotate(claim, {
      'couchestor.io/force-tier': dice.one(TIERS),
      'couchestor.io/force-until': dice.one([
        in30Minutes,
        in30Minutes,
        'tomorrow',
        '48',
        '2027-13-45',
      ]),
    })
}

export async function namePolicy(universe: Universe, dice: Dice): Promise<void> {
  const claim = anyClaim(universe, dice)
  const policy = dice.one([...POLICY_NAMES, 'no-such-policy'])
  if (claim !== undefined)
    await universe.cluster.annotate(claim, { 'couchestor.io/policy': policy })
}

export function changeLoad(universe: Universe, dice: Dice): void {
  const claim = anyClaim(universe, dice)
  if (claim !== undefined) claim.load.iops = dice.one([0, 1, 50, 300, 2000, 8000])
}
