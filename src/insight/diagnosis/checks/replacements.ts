import type { VolumeMigration } from '../../../api/volume-migration.ts'
import type { EffectivePolicy } from '../../../api/effective-policy.ts'
import type { Facts } from '../facts.ts'
import { counted, finding, notChecked, ok, some } from '../finding.ts'
import type { Line } from '../finding.ts'

/** Moves that give a claim another volume: what they go by, what they need, and what they have left behind. */
export function checkReplacements(facts: Facts): readonly Line[] {
  const { unfinished, unreadable, lost, leftovers } = facts.replacements
  const lines: Line[] = [
    ...rightsLines(facts),
    ...(unreadable.known
      ? unreadable.value.map(({ name, why }) =>
          finding('RecordUnreadable', `TieringCheckpoint ${name}: ${why}`),
        )
      : [notChecked('replacements', 'records of replacements', unreadable.why)]),
    ...(lost.known
      ? lost.value.map(({ claim, record }) =>
          finding('ClaimLost', `claim ${claim} is Lost; TieringCheckpoint ${record} has its move`, {
            fix: `docs/runbooks/claim-lost.md; leave claim and volumes as they are, and see: kubectl get tieringcheckpoint ${record} -o yaml`,
          }),
        )
      : []),
    ...moveLines(facts),
  ]
  if (!leftovers.known) {
    // what keeps all of it from being read is reported where it belongs
    const isOwn = unreadable.known && unreadable.value.length === 0
    if (isOwn) lines.push(notChecked('replacements', 'what moves left behind', leftovers.why))
  } else if (leftovers.value.length > 0) {
    const names = leftovers.value.map((l) => `${l.kind} ${l.id} (${l.name})`)
    lines.push(
      finding(
        'VolumesLeftBehind',
        `${counted(names.length, 'volume or snapshot')}: ${some(names)}`,
      ),
    )
  }
  if (lines.length > 0) return lines
  const n = unfinished.known ? unfinished.value : 0
  return [ok(`${counted(n, 'replacement')} under way, nothing left behind in Cinder`)]
}

type Wanting = {
  readonly code: 'ReplacementRightMissing' | 'RestartRightMissing'
  /** What the policy says. */
  readonly setting: string
  readonly isWanted: (effective: EffectivePolicy) => boolean
  readonly lacks: 'replacing' | 'restarting'
}

const WANTING: readonly Wanting[] = [
  {
    code: 'ReplacementRightMissing',
    setting: 'spec.migration.strategy: snapshot-restore',
    isWanted: ({ migration }) => migration.strategy === 'snapshot-restore',
    lacks: 'replacing',
  },
  {
    code: 'RestartRightMissing',
    setting: 'spec.migration.workloads: Restart',
    isWanted: ({ migration }) => migration.workloads === 'Restart',
    lacks: 'restarting',
  },
]

function rightsLines({ cluster: { policies, rules }, namespace }: Facts): readonly Line[] {
  if (!policies.known || !rules.known || !rules.value.ofController) return []
  const { account } = rules.value
  return WANTING.flatMap(({ code, setting, isWanted, lacks }) => {
    const wanting = policies.value.filter((p) => isWanted(p.effective))
    const missing = rules.value[lacks]
    if (wanting.length === 0 || missing.length === 0) return []
    const names = some(wanting.map((p) => p.policy.metadata.name))
    const rights = missing.map(({ verb, group, resource }) =>
      group === '' ? `${verb} ${resource}` : `${verb} ${resource}.${group}`,
    )
    const message = `${setting} of policy ${names}: ${account} (namespace ${namespace}) may not ${rights.join(', ')}`
    return [finding(code, message)]
  })
}

function moveLines({ cluster: { migrations }, fleet }: Facts): readonly Line[] {
  if (!migrations.known) return []
  const volumes = fleet.known ? fleet.value.typeOfVolume : undefined
  return migrations.value.flatMap((m) => {
    if (isRecordMissing(m)) return [recordMissing(m)]
    const former = m.status?.replacement?.formerVolumeId
    const isGone = former !== undefined && volumes !== undefined && !volumes.has(former)
    return m.status?.step === 'Soaking' && isGone ? [formerGone(m, former)] : []
  })
}

/** Reported here and not with what else is stuck. */
export function isRecordMissing({ status }: VolumeMigration): boolean {
  return status?.step === 'Stuck' && status.reason === 'RecordMissing'
}

function recordMissing(m: VolumeMigration): Line {
  const { namespace, name } = m.metadata
  const { replacement } = m.status ?? {}
  const volumes = [replacement?.formerVolumeId, replacement?.copyVolumeId].filter((v) => v)
  return finding(
    'RecordMissing',
    `${namespace}/${name}: TieringCheckpoint ${replacement?.record ?? '(not named)'} of claim ${namespace}/${m.spec.claim.name}`,
    {
      fix: `docs/runbooks/replacement-stalled.md; check the claim${volumes.length === 0 ? '' : ` and volumes ${volumes.join(', ')}`}: kubectl -n ${namespace} get pvc ${m.spec.claim.name}`,
    },
  )
}

function formerGone(m: VolumeMigration, former: string): Line {
  const { namespace, name } = m.metadata
  return finding(
    'FormerVolumeGone',
    `${namespace}/${name}: status.replacement.formerVolumeId is ${former}`,
  )
}
