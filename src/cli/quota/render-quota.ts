import type { QuotaReport, QuotaRow } from '../../insight/quota/quota-report.ts'
import { table } from '../table.ts'
import type { Column } from '../table.ts'

const COLUMNS: readonly Column<QuotaRow>[] = [
  { title: 'TIER', of: (r) => r.tiers.join(',') },
  { title: 'QUOTA', of: (r) => r.key },
  { title: 'LIMIT', of: (r) => amount(r.limit), right: true },
  { title: 'IN USE', of: (r) => amount(r.inUse), right: true },
  { title: 'RESERVED', of: (r) => amount(r.reserved), right: true },
  { title: 'HEADROOM', of: (r) => amount(r.headroom), right: true },
  { title: 'WANTED', of: (r) => (r.type === '' ? '' : amount(r.wanted)), right: true },
  { title: 'LEAVING', of: (r) => (r.type === '' ? '' : amount(r.leaving)), right: true },
]

/** The report for a terminal: a line per quota, then what to do about it. */
export function renderQuota(report: QuotaReport): string {
  const { projectId, storageMode, unreadable, rows, proposals, warnings, drift, driftFix } = report
  const lines = [
    ...report.notices.map((n) => `Note: ${n}`),
    table(COLUMNS, rows).trimEnd(),
    ...(unreadable === null ? [] : [`Note: ${unreadable}`]),
    `Project ${projectId}, openstack.storage_mode ${storageMode}.`,
    ...warnings.map((w) => `Note: ${w}`),
    ...proposals.map((p) => `Proposal: ${p.text}\n    ${p.command}`),
    ...drift.map(
      (d) =>
        `Drift: Cinder says that ${d.inUse} of ${d.key} are in use, and the project has ${d.counted} now; it is one if it stays for ten minutes.`,
    ),
    ...(driftFix === null ? [] : [`    ${driftFix}`]),
  ]
  return `${lines.filter((l) => l !== '').join('\n')}\n`
}

function amount(n: number | null): string {
  return n === null ? '-' : String(n)
}
