import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { COMMANDS } from '../../src/main/commands.ts'
import catalogue from '../../tools/monitoring/metrics-catalogue.json' with { type: 'json' }
import { RULE_GROUPS } from '../../tools/monitoring/rules.ts'
import { namesIn } from './promql-names.ts'

const FOLDER = 'docs/runbooks'

/** Lines of fenced blocks, and where they stand. */
function blocks(language: string): [string, string][] {
  return readdirSync(FOLDER).flatMap((page) => {
    const text = readFileSync(join(FOLDER, page), 'utf8')
    return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)]
      .filter(([, fence]) => fence === language)
      .flatMap(([, , body = '']) => body.trimEnd().split('\n'))
      .map((line): [string, string] => [page, line])
  })
}

const commands = blocks('')
const queries = blocks('promql')
const own = commands.filter(([, line]) => line.startsWith('couchestor '))

const METRICS = new Set([
  'up',
  ...RULE_GROUPS.flatMap((g) => g.rules).flatMap((r) => ('record' in r ? [r.record] : [])),
  ...catalogue.flatMap(({ name, type }) =>
    type === 'histogram' ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name],
  ),
])

describe('runbooks', () => {
  it.each(own)('%s: "%s" is a command with flags that exist', async (_, line) => {
    const [, name = '', ...words] = line.split(' ')
    const command = COMMANDS[name]
    expect(command).toBeDefined()
    const help = await command!.help(1000)
    for (const flag of words.filter((w) => w.startsWith('-') && w !== '--help'))
      expect(help).toContain(flag.length === 2 ? `${flag}, --` : flag)
  })

  it('run nothing but kubectl, couchestor and the tools of the cloud', () => {
    const known = /^(kubectl|couchestor|openstack|cinder|rbd) /
    const others = commands.filter(([, line]) => !known.test(line))
    expect(others).toEqual([])
    expect(own.length).toBeGreaterThan(20)
  })

  it.each(queries)('%s: "%s" asks for metrics that exist', (_, line) => {
    const { selectors } = namesIn(line)
    expect(selectors.length).toBeGreaterThan(0)
    for (const { metric } of selectors) expect(METRICS).toContain(metric)
  })

  it('link to pages that exist', () => {
    const pages = new Set(readdirSync(FOLDER))
    for (const page of pages)
      for (const [, to = ''] of readFileSync(join(FOLDER, page), 'utf8').matchAll(
        /\]\((\S+\.md)\)/g,
      ))
        expect(pages).toContain(to)
  })
})
