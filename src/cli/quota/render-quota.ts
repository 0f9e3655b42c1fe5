import type { QuotaReport, QuotaRow } from '../../insight/quota/quota-report.ts'
import { printable, table } from '../table.ts'
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
    ...(unreadable === null ? [] : [`Note: ${unreadable}`]),
    `Project ${projectId}, openstack.storage_mode ${storageMode}.`,
    ...warnings.map((w) => `Note: ${w}`),
    ...proposals.flatMap((p) => [`Proposal: ${p.text}`, `    ${p.command}`]),
    ...drift.map(
      (d) =>
        `Drift: Cinder says that ${d.inUse} of ${d.key} are in use, and the project has ${d.counted} now; it is one if it stays for ten minutes.`,
    ),
    ...(driftFix === null ? [] : [`    ${driftFix}`]),
  ]
  const before = report.notices.map((n) => `Note: ${printable(n)}\n`).join('')
  return `${before}${table(COLUMNS, rows)}${lines.map(printable).join('\n')}\n`
}

function amount(n: number | null): string {
  return n === null ? '-' : String(n)
}
