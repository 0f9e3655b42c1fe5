import { isFinished, isWaiting } from '../../../api/volume-migration.ts'
import type { VolumeMigration } from '../../../api/volume-migration.ts'
import { whyUnreadable } from '../../../controller/view/read-migration.ts'
import type { Facts } from '../facts.ts'
import { counted, finding, notChecked, ok } from '../finding.ts'
import type { Line } from '../finding.ts'
import { isRecordMissing } from './replacements.ts'

const DAY = 86_400_000
const FEW = 3
/** Ends that say nothing about whether moves work. */
const HARMLESS: ReadonlySet<string> = new Set([
  'Cancelled',
  'Expired',
  'Superseded',
  'NoLongerWanted',
  'StrategyUnsupported',
])

/** Moves that need a person. */
export function checkMigrations({ cluster: { migrations }, now }: Facts): readonly Line[] {
  if (!migrations.known) return [notChecked('migrations', 'migrations', migrations.why)]
  const all = migrations.value
  const readable = all.filter((m) => whyUnreadable(m) === undefined)
  const lines = [
    ...all.filter((m) => whyUnreadable(m) !== undefined).map((m) => unreadable(m)),
    ...readable
      .filter((m) => m.status?.step === 'Stuck' && !isRecordMissing(m))
      .map((m) => stuck(m)),
    ...all.filter((m) => m.status?.reason === 'Unexplained').map((m) => unexplained(m)),
    ...failing(all, now),
  ]
  if (lines.length > 0 || readable.some(isRecordMissing)) return lines
  const flying = all.filter((m) => !isFinished(m) && !isWaiting(m)).length
  const waiting = all.filter(isWaiting).length
  return [ok(`${counted(flying, 'move')} under way, ${waiting} waiting, none stuck`)]
}

function unreadable(m: VolumeMigration): Line {
  const { namespace, name } = m.metadata
  return finding('MigrationUnreadable', `${namespace}/${name}: ${whyUnreadable(m)}`, {
    fix: `correct it: kubectl -n ${namespace} edit vmig ${name}; or, once its volume is at rest in Cinder, delete it`,
  })
}

function stuck(m: VolumeMigration): Line {
  const { namespace, name } = m.metadata
  const volume = m.status?.volumeId ?? '<volume>'
  return finding(
    'MigrationStuck',
    `${namespace}/${name}: ${m.status?.reason}: ${m.status?.message ?? ''}`,
    {
      fix: `docs/runbooks/stuck.md; an administrator checks with: openstack volume show ${volume} -c status -c migration_status -c os-vol-host-attr:host`,
    },
  )
}

function unexplained(m: VolumeMigration): Line {
  const { namespace, name } = m.metadata
  return finding('MigrationUnexplained', `${namespace}/${name}: ${m.status?.message ?? ''}`, {
    fix: `docs/runbooks/unexplained.md; when it is understood: kubectl -n ${namespace} delete vmig ${name}`,
  })
}

function failing(all: readonly VolumeMigration[], now: number): readonly Line[] {
  const ended = all.filter(({ status }) => {
    const at = Date.parse(status?.completedAt ?? '')
    return now - at < DAY && !HARMLESS.has(status?.reason ?? '')
  })
  const failed = ended.filter((m) => m.status?.step === 'Failed')
  if (failed.length < FEW || failed.length * 2 < ended.length) return []
  const reasons = Map.groupBy(failed, (m) => m.status?.reason ?? '')
  const shown = [...reasons].map(([reason, of]) => `${reason} ${of.length}`).join(', ')
  return [
    finding(
      'MigrationsFail',
      `${failed.length} of ${ended.length} moves of the last day failed: ${shown}`,
    ),
  ]
}
