import { readFileSync } from 'node:fs'
import { parseConfig } from '../../src/api/config.ts'
import type { Config } from '../../src/api/config.ts'

const PAGE = 'docs/exporter.md'

/** The section that docs/exporter.md gives for config.yaml of the controller: what is documented is what is tested. */
export function documentedSection(): Config['prometheus'] {
  const block = /```yaml\n(prometheus:\n[\s\S]*?)```/.exec(readFileSync(PAGE, 'utf8'))?.[1]
  if (block === undefined) throw new Error(`${PAGE} has no prometheus section`)
  return parseConfig(block, PAGE).prometheus
}
