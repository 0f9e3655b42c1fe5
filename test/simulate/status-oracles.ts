import type { Oracle } from './oracles.ts'
import type { Universe } from './universe.ts'

/** In half an hour in which nothing changes: each policy may ask for its newest window, and again. */
const MOST_QUERIES = 400

/** Asked once, when the world has been quiet for long. */
export const STATUS_ORACLES: readonly Oracle<[]>[] = [
  { name: 'a policy says what is on its tiers', check: countsAreTrue },
  { name: 'a policy has caught up', check: caughtUp },
  { name: 'nothing halts without a cause', check: haltHasCause },
  { name: 'a quiet world is asked little', check: fewQueries },
  { name: 'series are of tiers that there are', check: knownTiers },
]

function countsAreTrue(universe: Universe): string[] {
  const { cluster } = universe
  return universe.policies().flatMap(({ metadata, status }) => {
    const claims = cluster.living.filter((c) => universe.policyNameOf(c) === metadata.name)
    const on = (tier: string) => {
      const type = universe.types.of(tier).id
      return claims.filter((c) => cluster.volume(c)?.typeId === type).length
    }
    return (status?.tiers ?? [])
      .filter((t) => t.volumes !== on(t.name))
      .map(
        (t) => `${metadata.name} says ${t.volumes} volumes on ${t.name}, there are ${on(t.name)}`,
      )
  })
}

function caughtUp(universe: Universe): string[] {
  return universe.policies().flatMap(({ metadata, status }) => {
    const ready = status?.conditions?.find((c) => c.type === 'Ready')
    return ready?.reason === 'CatchingUp' && universe.historyMs === Infinity
      ? [`${metadata.name} is CatchingUp: ${ready.message}`]
      : []
  })
}

function haltHasCause(universe: Universe): string[] {
  const halted = universe.sample('couchestor_halted').some((s) => s.value === 1)
  return halted && universe.handRetypes === 0 ? ['nobody but the product moved a volume'] : []
}

function fewQueries({ monitor }: Universe): string[] {
  return monitor.quietQueries > MOST_QUERIES
    ? [`${monitor.quietQueries} queries in half an hour`]
    : []
}

function knownTiers(universe: Universe): string[] {
  const invented = new Set(universe.page.match(/"nowhere-\d+"/g) ?? [])
  return invented.size > universe.cluster.claims.size
    ? [`${invented.size} tiers that no policy has`]
    : []
}
