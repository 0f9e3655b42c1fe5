import { shellWord } from '../../shell.ts'
import { inTurn } from './in-turn.ts'
import type { Flow } from './in-turn.ts'
import type { QuotaProposal, QuotaReport, QuotaRow, StorageMode } from './quota-report.ts'

/**
 * What an administrator would have to change for the plan to come to its end, and what is not as the mode expects. Volumes that
 * leave a type make room for those that come: they go first.
 */
export function propose(
  rows: readonly QuotaRow[],
  mode: StorageMode,
  projectId: string,
  flows: readonly Flow[] = [],
): Pick<QuotaReport, 'proposals' | 'warnings'> {
  const ofTypes = rows.filter((r) => r.type !== '')
  return {
    proposals:
      mode === 'fixed'
        ? ofTypes.flatMap((row) => lifted(row, projectId))
        : raised(ofTypes, flows, projectId),
    warnings: mode === 'fixed' ? [] : unlimited(ofTypes),
  }
}

function raised(
  rows: readonly QuotaRow[],
  flows: readonly Flow[],
  projectId: string,
): readonly QuotaProposal[] {
  const atTheEnd = new Map(
    rows.flatMap((row) => (row.limit === null ? [] : [[row, row.limit + lacking(row)] as const])),
  )
  return [...inTurn(atTheEnd, flows)].flatMap(([row, limit]) => {
    const { key, wanted, leaving } = row
    const by = limit - (row.limit ?? limit)
    if (by <= 0) return []
    const exchange =
      by > lacking(row) ? '; full types that exchange volumes wait for each other without more' : ''
    return [
      {
        key,
        limit,
        text: `raise ${key} by ${by} to finish the plan: ${wanted} come and ${leaving} leave, and ${freeOf(row)}${exchange}`,
        command: setCommand(row, limit, projectId),
      },
    ]
  })
}

/** By how much what is wanted exceeds the limit when all moves have ended. */
function lacking({ headroom, wanted, leaving }: QuotaRow): number {
  return headroom === null || wanted === 0 ? 0 : Math.max(0, wanted - leaving - headroom)
}

/** A limit below what is used leaves nothing free, and hides how much was taken. */
function freeOf({ limit, headroom }: QuotaRow): string {
  const free = `${Math.max(0, headroom ?? 0)} of ${limit} are free`
  return headroom !== null && limit !== null && headroom < 0
    ? `${free} (${limit - headroom} are taken)`
    : free
}

function lifted(row: QuotaRow, projectId: string): readonly QuotaProposal[] {
  if (row.limit === null) return []
  return [
    {
      key: row.key,
      limit: null,
      text: `lift ${row.key}: it is ${row.limit}, and with openstack.storage_mode "fixed" only the quotas of the whole project should limit it`,
      command: setCommand(row, -1, projectId),
    },
  ]
}

function unlimited(rows: readonly QuotaRow[]): readonly string[] {
  return rows
    .filter((r) => r.limit === null && r.key.startsWith('gigabytes_'))
    .map(
      ({ key, inUse, reserved, wanted, leaving }) =>
        `${key} is unlimited, and with openstack.storage_mode "dynamic" each tier should have a limit: with the plan made it needs ${Math.max(0, inUse + reserved + wanted - leaving)}`,
    )
}

function setCommand({ key, type }: QuotaRow, limit: number, projectId: string): string {
  const unit = key.startsWith('gigabytes') ? 'gigabytes' : 'volumes'
  return `openstack quota set --volume-type ${shellWord(type)} --${unit} ${limit} ${projectId}`
}
