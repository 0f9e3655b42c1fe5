import { replacementRecord } from '../../../api/tiering-checkpoint.ts'
import type { ReplacementRecord } from '../../../controller/moving/recorded-strategy.ts'
import { createPersistentVolumes } from '../../../kube/persistent-volumes.ts'
import { createCinderReader } from '../../../openstack/cinder-call.ts'
import { markedRows } from '../../../openstack/cinder-marked.ts'
import type { Session } from '../../../openstack/session.ts'
import { isOfCluster, leftoversOf } from '../../replacements/leftovers.ts'
import { clusterIds, readOwners } from '../../replacements/owners.ts'
import type { DoctorDeps } from '../deps.ts'
import { attempt, following, known, unknown } from '../fact.ts'
import type { Fact } from '../fact.ts'
import type { LostClaim, ReplacementFacts } from '../facts.ts'

/** A gap takes seconds; kept up to then it is none that a person must see to. */
const GAP_MS = 60_000

/** Records of replacements, and what nothing knows of. `server`: without it nothing is asked. */
export async function gatherReplacements(
  deps: DoctorDeps,
  server: Fact<unknown>,
  session: Session | undefined,
): Promise<ReplacementFacts> {
  const { client } = deps.kube
  const ids = await following(deps, server, () => clusterIds(client, deps.namespace))
  // before the owners: what a move has made since then is not in it
  const rows =
    session === undefined
      ? unknown('not asked, see OpenStack credential')
      : await following(deps, ids, (own, signal) => {
          const reader = createCinderReader({ session, log: deps.log })
          return markedRows({ session, reader, log: deps.log }, (r) => isOfCluster(own, r), signal)
        })
  const owners = await following(deps, server, () => readOwners(client))
  if (!owners.known)
    return { unfinished: owners, unreadable: owners, lost: owners, leftovers: owners }
  const { records, unreadable } = owners.value
  return {
    unfinished: known(records.length),
    unreadable: known(unreadable),
    lost: await attempt(deps, () => lostOf(records, deps)),
    leftovers: leftovers(),
  }

  function leftovers(): ReplacementFacts['leftovers'] {
    if (!ids.known) return ids
    if (!rows.known) return rows
    if (!owners.known) return owners
    if (ids.value.size === 0)
      return unknown('this account may not read which cluster this is', true)
    // a record that cannot be read may be that of anything
    if (unreadable.length > 0) return unknown('a record cannot be read')
    return known(leftoversOf(ids.value, rows.value, owners.value))
  }
}

async function lostOf(
  records: readonly ReplacementRecord[],
  { kube, clock }: DoctorDeps,
): Promise<readonly LostClaim[]> {
  const volumes = createPersistentVolumes(kube.client)
  const lost: LostClaim[] = []
  for (const { move, saved } of records) {
    const last = Math.max(...saved.journal.map((e) => Date.parse(e.at)))
    if (clock.now() - last < GAP_MS) continue
    const { namespace, name, uid } = saved.origin.claim
    const claim = await volumes.getClaim(namespace, name)
    if (claim?.metadata.uid === uid && claim.status?.phase === 'Lost')
      lost.push({ claim: `${namespace}/${name}`, record: replacementRecord(move.uid) })
  }
  return lost
}
