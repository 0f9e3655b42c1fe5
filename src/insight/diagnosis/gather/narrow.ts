import { UserError } from '../../../errors.ts'
import { known } from '../fact.ts'
import type { Fact } from '../fact.ts'
import type { ClusterFacts, Fleet } from '../facts.ts'

/** The cluster as one policy sees it. Throws `UserError` when there is no such policy. */
export function ofPolicy(facts: ClusterFacts, name: string | undefined): ClusterFacts {
  const { policies, migrations } = facts
  if (name === undefined || !policies.known) return facts
  const own = policies.value.filter((p) => p.policy.metadata.name === name)
  if (own.length === 0) {
    const names = policies.value.map((p) => p.policy.metadata.name)
    throw new UserError('NotFound', `StoragePolicy "${name}" does not exist`, {
      fix: names.length === 0 ? 'create one first' : `choose one of ${names.join(', ')}`,
    })
  }
  return {
    ...facts,
    policies: known(own),
    migrations: migrations.known
      ? known(migrations.value.filter((m) => m.spec.policy === name))
      : migrations,
  }
}

/** The claims of one policy, with the conflicts it takes part in. */
export function claimsOfPolicy(fleet: Fact<Fleet>, name: string | undefined): Fact<Fleet> {
  if (name === undefined || !fleet.known) return fleet
  const { claims, conflicts } = fleet.value
  return known({
    ...fleet.value,
    claims: claims.filter((c) => c.policy === name),
    conflicts: new Map([...conflicts].filter(([names]) => names.split(', ').includes(name))),
  })
}
