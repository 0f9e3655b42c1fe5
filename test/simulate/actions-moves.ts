import { isInFlight } from '../../src/api/volume-migration.ts'
import type { VolumeMigration } from '../../src/api/volume-migration.ts'
import type { Dice } from '../seeded.ts'
import { BROKEN, COMMON, POLICY_NAMES, TIERS } from './names.ts'
import { anyClaim, claimsThat } from './touchable.ts'
import type { Universe } from './universe.ts'

// What people do with moves.

async function createMove(universe: Universe, dice: Dice, namespace: string, spec: object) {
  await universe.cluster.request(
    'POST',
    `/apis/couchestor.io/v1alpha1/namespaces/${namespace}/volumemigrations`,
    {
      apiVersion: 'couchestor.io/v1alpha1',
      kind: 'VolumeMigration',
      metadata: { name: `by-hand-${dice.int(1e9)}` },
      spec: {
        policy: dice.one([...POLICY_NAMES, COMMON]),
        reason: 'Manual',
        to: dice.one(TIERS),
        ...spec,
      },
    },
  )
}

/** Often of a claim that somebody has paused, or of a policy that only observes, and mostly by the policy that manages it. */
export async function manualMove(universe: Universe, dice: Dice): Promise<void> {
  const resting = claimsThat(universe, (c) => {
    const { annotations = {} } = universe.cluster.claimObject(c)?.metadata ?? {}
    const policy = universe.policies().find((p) => p.metadata.name === universe.policyNameOf(c))
    const { paused, mode } = policy?.spec ?? {}
    return annotations['couchestor.io/paused'] === 'true' || paused === true || mode === 'Observe'
  })
  const claim = (dice.chance(0.4) ? dice.pick(resting) : undefined) ?? anyClaim(universe, dice)
  if (claim === undefined) return
  const { name, uid, namespace } = claim
  const id = dice.chance(0.5) ? { uid } : {}
  const own = universe.policyNameOf(claim)
  const policy = own !== undefined && dice.chance(0.8) ? { policy: own } : {}
  await createMove(universe, dice, namespace, { claim: { name, ...id }, ...policy })
}

/** A manifest that was kept, of a move of the claim that had the name before. */
export async function oldMove(universe: Universe, dice: Dice): Promise<void> {
  const former = dice.pick(universe.cluster.gone.filter((c) => universe.cluster.claims.has(c.key)))
  const now = former && universe.cluster.claims.get(former.key)
  if (former === undefined || now === undefined) return
  const { name, uid, namespace } = former
  const policy = universe.policyNameOf(now)
  await createMove(universe, dice, namespace, {
    claim: { name, uid },
    ...(policy === undefined ? {} : { policy }),
  })
}

export async function foreignMove(universe: Universe, dice: Dice): Promise<void> {
  const mine = anyClaim(universe, dice)
  const theirs = dice.pick(universe.cluster.living)
  if (mine === undefined || theirs === undefined) return
  const volume = { id: theirs.volumeId, pv: theirs.pv }
  const claim = { name: dice.chance(0.5) ? mine.name : 'not-there' }
  await createMove(universe, dice, mine.namespace, { claim, volume })
}

function movePath({ namespace, name }: { namespace?: string; name: string }): string {
  return `/apis/couchestor.io/v1alpha1/namespaces/${namespace}/volumemigrations/${name}`
}

async function patchMove(universe: Universe, dice: Dice, spec: object): Promise<void> {
  const move = dice.pick(universe.moves())
  if (move !== undefined) await universe.cluster.merge(movePath(move.metadata), { spec })
}

export function cancelMove(universe: Universe, dice: Dice) {
  return patchMove(universe, dice, { cancel: true })
}

export function approveMove(universe: Universe, dice: Dice) {
  return patchMove(universe, dice, { approved: true })
}

/**
 * Something without our schema writes a move so that it cannot be read, mostly one in flight; a person corrects it
 * later, and nothing of it may have been acted upon meanwhile, though its owner wants the volume elsewhere.
 */
export async function breakMove(universe: Universe, dice: Dice): Promise<void> {
  const flying = universe.moves().filter(isInFlight)
  const move = (dice.chance(0.8) ? dice.pick(flying) : undefined) ?? dice.pick(universe.moves())
  const { name = '', uid } = move?.metadata ?? {}
  if (move === undefined || universe.undo.has(BROKEN + name)) return
  const change = dice.one<(m: VolumeMigration) => object>([
    ({ metadata }) => ({ metadata: { ...metadata, labels: { broken: 1 } } }),
    ({ status }) => ({ status: { ...status, volumeId: 5 } }),
    ({ status }) => ({ status: { ...status, intent: { ...status?.intent, deadline: 'soon' } } }),
  ])
  universe.world.api.seed({ ...move, ...change(move) })
  const { labels, ...metadata } = move.metadata
  const correct = () => {
    universe.undo.delete(BROKEN + name)
    const now = universe.moves().find((m) => m.metadata.uid === uid)
    if (now === undefined) return
    const { resourceVersion: _, labels: __, ...kept } = { ...metadata, ...now.metadata }
    const { status: ___, ...rest } = now
    universe.world.api.seed({
      ...rest,
      metadata: { ...kept, ...(labels === undefined ? {} : { labels }) },
      ...(move.status === undefined ? {} : { status: move.status }),
    })
  }
  universe.undo.set(BROKEN + name, correct)
  universe.clock.setTimer(dice.between(2, 90) * 60_000, () => universe.undo.get(BROKEN + name)?.())
  const claim = universe.cluster.claims.get(`${metadata.namespace}/${move.spec.claim.name}`)
  if (claim === undefined || dice.chance(0.3)) return
  await universe.cluster.annotate(claim, { 'couchestor.io/force-tier': dice.one(TIERS) })
}

/** Every broken move is as it was. */
export function corrected(undo: Map<string, () => void>): void {
  for (const [key, correct] of undo) if (key.startsWith(BROKEN)) correct()
}

export async function deleteMove(universe: Universe, dice: Dice): Promise<void> {
  const move = dice.pick(universe.moves())
  if (move !== undefined) await universe.cluster.request('DELETE', movePath(move.metadata))
}
