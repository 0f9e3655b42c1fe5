import { attachedSafe } from '../../../blockers/attached-safety.ts'
import type { ExtraSpecs } from '../../../blockers/attached-safety.ts'
import type { Facts, TypeFact } from '../facts.ts'
import { counted, finding, notChecked, ok, some } from '../finding.ts'
import type { Line } from '../finding.ts'
import { policyTiers, tiersOf } from './policy-tiers.ts'
import type { PolicyTiers } from './policy-tiers.ts'
import { shellWord } from '../../../shell.ts'

/** Whether volumes in use are moved, and what says that this is safe. */
export function checkAttached(facts: Facts): readonly Line[] {
  const policies = policyTiers(facts)
  if (!policies.known) return [notChecked('attached', 'attached volumes', policies.why)]
  const resolved = policies.value.filter((p) => tiersOf(p).length > 0)
  return [...resolved.flatMap((p) => safetyLines(facts, p)), ...qosLines(facts, resolved)]
}

type Pair = { readonly from: TypeFact; readonly to: TypeFact; readonly name: string }

function safetyLines(facts: Facts, p: PolicyTiers): readonly Line[] {
  const { microversion } = facts.cloud
  const { name } = p.fact.policy.metadata
  const { attached: rule, migrationPolicy } = p.fact.effective.migration
  if (!microversion.known) return [notChecked('attached', `policy ${name}`, microversion.why)]
  if (rule === 'Never')
    return [ok(`policy ${name} moves detached volumes only (migration.attached: Never)`)]
  const judged = pairs(facts, p).map((pair) => ({
    pair,
    ...attachedSafe({
      maxMicroversion: microversion.value,
      fromExtraSpecs: specsOf(pair.from),
      toExtraSpecs: specsOf(pair.to),
      rule: 'Auto',
      migrationPolicy,
    }),
  }))
  const unproven = judged.filter((j) => !j.safe)
  if (unproven.length === 0)
    return [ok(`policy ${name} moves attached volumes too: ${judged[0]?.message ?? 'one tier'}`)]
  const offers = `Cinder offers microversion ${microversion.value.join('.')}, and no extra spec that this credential sees differs`
  const where = `policy ${name}, ${unproven.map((u) => u.pair.name).join(', ')}`
  if (rule === 'Allow')
    return [finding('AttachedOnWord', `${where}: migration.attached is Allow; ${offers}`)]
  return [
    finding('AttachedUnproven', `${where}: ${offers}; ${share(facts, name)}`, { fix: fixFor(p) }),
  ]
}

function specsOf({ name, extraSpecs, specsHidden }: TypeFact): ExtraSpecs {
  return specsHidden
    ? { kind: 'Unknown', why: `Cinder does not show this credential the extra specs of ${name}` }
    : { kind: 'Seen', specs: extraSpecs }
}

function pairs(facts: Facts, p: PolicyTiers): readonly Pair[] {
  const types = new Map(
    facts.cloud.types.known ? facts.cloud.types.value.map((t) => [t.id, t]) : [],
  )
  const tiers = tiersOf(p)
  return tiers.flatMap((a, i) =>
    tiers.slice(i + 1).flatMap((b): Pair[] => {
      const [from, to] = [types.get(a.typeId), types.get(b.typeId)]
      return from && to ? [{ from, to, name: `${a.name} and ${b.name}` }] : []
    }),
  )
}

function share({ fleet }: Facts, policy: string): string {
  if (!fleet.known) return 'these volumes move at their next detach'
  const own = fleet.value.claims.filter((c) => c.policy === policy)
  const attached = own.filter((c) => c.volume?.attached === true).length
  return `${attached} of ${counted(own.length, 'managed volume')} are attached, and move at their next detach only`
}

function fixFor(p: PolicyTiers): string {
  const commands = tiersOf(p).map(
    (t) =>
      `openstack volume type set --property couchestor:tier=${t.name} ${shellWord(t.typeName)}`,
  )
  return `upgrade Cinder to 24.0.0 or later (microversion 3.71); or let an administrator run, before the types are used: ${commands.join('; ')} and, since a member cannot see it, set migration.attached: Allow`
}

function qosLines(facts: Facts, policies: readonly PolicyTiers[]): readonly Line[] {
  const { qos, types } = facts.cloud
  const moving = policies.filter((p) => p.fact.effective.migration.attached !== 'Never')
  if (moving.length === 0) return []
  if (!qos.known || !types.known) {
    const names = [...new Set(moving.flatMap((p) => tiersOf(p).map((t) => t.typeName)))]
    return [finding('QosHidden', `QoS of ${some(names)}`)]
  }
  const frontEnd = new Map(
    qos.value.filter((q) => q.consumer !== 'back-end').map((q) => [q.id, q.name]),
  )
  const byType = new Map(types.value.map((t) => [t.id, frontEnd.get(t.qosId ?? '')]))
  return moving.map((p) => {
    const { name } = p.fact.policy.metadata
    const tiers = tiersOf(p)
    if (new Set(tiers.map((t) => byType.get(t.typeId))).size < 2)
      return ok(`policy ${name}: no QoS of the hypervisor differs between its tiers`)
    const shown = tiers.map((t) => `${t.name}: ${byType.get(t.typeId) ?? 'none'}`)
    return finding('FrontEndQos', `policy ${name}: QoS in the hypervisor is ${shown.join(', ')}`)
  })
}
