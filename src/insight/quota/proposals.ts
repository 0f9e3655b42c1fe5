import type { QuotaProposal, QuotaReport, QuotaRow, StorageMode } from './quota-report.ts'

/**
 * What an administrator would have to change for the plan to come to its end, and what is not as the mode expects. Volumes that
 * leave a type make room for those that come: they go first.
 */
export function propose(
  rows: readonly QuotaRow[],
  mode: StorageMode,
  projectId: string,
): Pick<QuotaReport, 'proposals' | 'warnings'> {
  const ofTypes = rows.filter((r) => r.type !== '')
  return {
    proposals:
      mode === 'fixed'
        ? ofTypes.flatMap((row) => lifted(row, projectId))
        : ofTypes.flatMap((row) => raised(row, projectId)),
    warnings: mode === 'fixed' ? [] : unlimited(ofTypes),
  }
}

function raised(row: QuotaRow, projectId: string): readonly QuotaProposal[] {
  const { key, limit, headroom, wanted, leaving } = row
  if (limit === null || headroom === null || wanted === 0) return []
  const by = wanted - leaving - headroom
  if (by <= 0) return []
  return [
    {
      key,
      limit: limit + by,
      text: `raise ${key} by ${by} to finish the plan: ${wanted} come and ${leaving} leave, and ${Math.max(0, headroom)} of ${limit} are free${headroom < 0 ? ` (${limit - headroom} are taken)` : ''}`,
      command: setCommand(row, limit + by, projectId),
    },
  ]
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
  return `openstack quota set --volume-type ${type} --${unit} ${limit} ${projectId}`
}
