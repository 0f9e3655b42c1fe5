import { EVENT_REASONS } from '../src/api/event-reasons.ts'
import { MIGRATION_CONDITIONS, POLICY_CONDITIONS } from '../src/api/conditions.ts'
import { moveMeanings, stayMeanings } from './meanings.ts'

/** docs/reference-reasons.md, made from src/api/ and from the checks that give a reason to stay. */
export function reasonsReference(): string {
  const lines = [
    '# Reasons',
    '',
    'Every reason that events, conditions, statuses and verdicts carry. Made from `src/api/` and the checks themselves by `npm run generate`.',
    'Names are API: they are added, never renamed.',
    '',
    '## Why a claim stays',
    '',
    'In the order in which the guards are asked; the first that holds is reported. A waiting VolumeMigration shows the same',
    'reasons in `status.reason`.',
    '',
    ...table(['Reason', 'Meaning'], entries(stayMeanings())),
    '## Steps and ends of a move',
    '',
    '`status.reason` of a VolumeMigration.',
    '',
    ...table(['Reason', 'Meaning'], entries(moveMeanings())),
    '## Events',
    '',
    'On claims, unless the meaning says otherwise.',
    '',
    ...table(
      ['Reason', 'Type', 'Meaning'],
      Object.entries(EVENT_REASONS).map(([name, e]) => [`\`${name}\``, e.type, e.meaning]),
    ),
    '## Conditions of a StoragePolicy',
    '',
    ...Object.entries(POLICY_CONDITIONS).flatMap(([name, condition]) => [
      `### ${name}`,
      '',
      condition.meaning,
      '',
      ...table(['Reason', 'Meaning'], entries(condition.reasons)),
    ]),
    '## Conditions of a VolumeMigration',
    '',
    'Their reason is `status.reason`.',
    '',
    ...table(
      ['Condition', 'Meaning'],
      Object.entries(MIGRATION_CONDITIONS).map(([name, c]) => [`\`${name}\``, c.meaning]),
    ),
  ]
  return `${lines.join('\n').trimEnd()}\n`
}

function entries(reasons: Readonly<Record<string, string>>): string[][] {
  return Object.entries(reasons).map(([name, meaning]) => [`\`${name}\``, meaning])
}

/** A table as Prettier would write it, so that formatting and generating agree. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const escaped = rows.map((row) => row.map((cell) => cell.replaceAll('|', '\\|')))
  const widths = head.map((title, i) =>
    Math.max(3, title.length, ...escaped.map((r) => r[i]!.length)),
  )
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`
  return [
    line(head),
    `| ${widths.map((w) => '-'.repeat(w)).join(' | ')} |`,
    ...escaped.map(line),
    '',
  ]
}
