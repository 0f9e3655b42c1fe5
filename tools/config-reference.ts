import type * as z from 'zod'
import { configSchema } from '../src/api/config-schema.ts'
import { docOf, keyEntries } from '../src/api/keys.ts'
import { table } from './reasons-reference.ts'

const BEGIN = '<!-- keys: made from src/api/config-schema.ts by "npm run generate" -->'
const END = '<!-- end of keys -->'

/** docs/reference-config.md with the table of keys made again from their declarations; the prose around it stays. */
export function configReference(page: string): string {
  const [before, rest] = page.split(BEGIN)
  const after = rest?.split(END)[1]
  if (before === undefined || after === undefined)
    throw new Error(`docs/reference-config.md lacks "${BEGIN}" or "${END}"`)
  const rows = keyEntries(configSchema).map(({ path, schema }) => {
    const { meaning = '', shownDefault } = docOf(schema) ?? {}
    return [`\`${path}\``, shownDefault ?? defaultOf(schema), meaning]
  })
  const lines = table(['Key', 'Default', 'Meaning'], rows)
  return `${before}${BEGIN}\n\n${lines.join('\n')}\n${END}${after}`
}

function defaultOf(schema: z.core.$ZodType): string {
  const { def } = schema._zod
  if (def.type !== 'prefault') return 'none'
  return `\`${String((def as z.core.$ZodPrefaultDef).defaultValue)}\``
}
