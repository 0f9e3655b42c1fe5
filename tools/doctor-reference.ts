import { CATALOGUE } from '../src/insight/diagnosis/catalogue.ts'
import { GROUPS } from '../src/insight/diagnosis/groups.ts'
import type { CatalogueEntry, Group } from '../src/insight/diagnosis/groups.ts'
import { table } from './reasons-reference.ts'

/** docs/reference-doctor.md, made from the catalogue of findings. */
export function doctorReference(): string {
  const all = Object.entries(CATALOGUE) as [string, CatalogueEntry][]
  const sections = (Object.keys(GROUPS) as Group[]).flatMap((group) => {
    const own = all.filter(([, entry]) => entry.group === group)
    if (own.length === 0) return []
    return [`## ${GROUPS[group]}`, '', ...own.flatMap(([code, entry]) => section(code, entry))]
  })
  const lines = [
    '# Findings of the doctor',
    '',
    'Every code that `couchestor doctor` can report, under the heading where it appears. Made from `src/insight/diagnosis/catalogue/`',
    'by `npm run generate`. Codes are API: they are added, never renamed. Where the case at hand allows, the fix it prints',
    'is more exact than the one here. How to use it: [doctor.md](doctor.md).',
    '',
    ...table(
      ['Code', 'Severity', 'Heading'],
      all.map(([code, e]) => [
        `[\`${code}\`](#${code.toLowerCase()})`,
        e.severity,
        GROUPS[e.group],
      ]),
    ),
    ...sections,
  ]
  return `${lines.join('\n').trimEnd()}\n`
}

function section(code: string, { severity, meaning, why, fix }: CatalogueEntry): string[] {
  return [
    `### ${code}`,
    '',
    `**${severity}.** ${escaped(meaning)}`,
    '',
    `- Why it matters: ${escaped(why)}.`,
    `- Fix: ${escaped(fix)}.`,
    '',
  ]
}

/** Placeholders such as <type> would be taken for markup, and underscores and stars for emphasis. */
function escaped(text: string): string {
  return text.replaceAll(/[<*]|(?<=\W|^)_|_(?=\W|$)/g, (c) => `\\${c}`)
}
