import { CATALOGUE } from '../../insight/diagnosis/catalogue.ts'
import { table } from '../table.ts'
import type { Diagnosis, Section } from '../../insight/diagnosis/diagnose.ts'
import { counted } from '../../insight/diagnosis/finding.ts'
import type { Line } from '../../insight/diagnosis/finding.ts'
import { GROUPS } from '../../insight/diagnosis/groups.ts'

/** The lines by heading, the tables of tiers and types, and a sum. Ends with a line feed. */
export function renderText(sections: readonly Section[], diagnosis: Diagnosis): string {
  const { problems, warnings, unknown, ok } = diagnosis.summary
  return [
    ...sections
      .filter((s) => s.lines.length > 0)
      .flatMap((s) => [
        `${GROUPS[s.group]}`,
        ...s.lines.flatMap((line, i) => lineText(line, s.lines[i + 1])),
        '',
      ]),
    ...tables(diagnosis),
    `${counted(problems, 'problem')}, ${counted(warnings, 'warning')}, ${unknown} not checked, ${ok} ok`,
    '',
  ].join('\n')
}

/** The reasons and fixes of findings in a row that share them stand once, below the last of them. */
function lineText(line: Line, next: Line | undefined): readonly string[] {
  const mark = `  ${`[${line.severity}]`.padEnd(10)}`
  if (line.severity === 'ok') return [`${mark} ${line.text}`]
  const { code, what, why, fix } = line
  // the general words for what was not checked would stand there a dozen times
  if (fix === CATALOGUE.NotChecked.fix) return [`${mark} ${what}`]
  const title = `${mark} ${code}: ${what}`
  if (next?.severity === line.severity && next.why === why && next.fix === fix) return [title]
  const indent = ' '.repeat(13)
  return [title, `${indent}why: ${why}`, `${indent}fix: ${fix}`]
}

function tables({ tiers, volumeTypes }: Diagnosis): readonly string[] {
  return [
    ...titled(
      'Tiers',
      table(
        [
          { title: 'POLICY', of: (r) => r.policy },
          { title: 'TIER', of: (r) => r.tier },
          { title: 'STORAGECLASS', of: (r) => r.storageClass ?? '-' },
          { title: 'VOLUME TYPE', of: (r) => r.volumeType },
          { title: 'PRICE', of: (r) => (r.price === null ? '-' : String(r.price)), right: true },
          { title: 'VOLUMES', of: (r) => String(r.volumes), right: true },
          { title: 'GIB', of: (r) => String(r.gib), right: true },
        ],
        tiers,
      ),
    ),
    ...titled(
      'Volume types (as "openstack volume type list" shows them to this credential)',
      table(
        [
          { title: 'ID', of: (r) => r.id },
          { title: 'NAME', of: (r) => r.name },
          { title: 'PUBLIC', of: (r) => (r.public ? 'True' : 'False') },
          { title: 'TIERS', of: (r) => r.tiers.join(', ') || '-' },
          { title: 'EXTRA SPECS SEEN', of: (r) => specsText(r.extraSpecs) },
        ],
        volumeTypes,
      ),
    ),
  ]
}

function titled(title: string, text: string): readonly string[] {
  return text === '' ? [] : [title, text]
}

function specsText(specs: Readonly<Record<string, string>>): string {
  return (
    Object.entries(specs)
      .map(([key, value]) => `${key}=${value}`)
      .join(' ') || '-'
  )
}
