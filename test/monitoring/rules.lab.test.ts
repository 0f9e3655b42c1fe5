import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { command } from '../lab/command.ts'
import { describeLab } from '../lab/describe-lab.ts'
import { CASES } from './cases.ts'
import { RECORDING_CASES } from './cases/recording.ts'
import { alertTests, recordingTests, withForeignLabels } from './promtool-tests.ts'

const RULES = resolve('charts/couchestor/files/rules.yaml')

// promtool comes with the lab's packages; nothing here touches the lab's cluster
describeLab('the rule file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'couchestor-rules-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  /** Throws what promtool says. */
  async function test(name: string, text: string): Promise<string> {
    const file = join(folder, `${name.replaceAll(':', '-')}.yaml`)
    writeFileSync(file, text)
    return command('promtool', ['test', 'rules', file]).catch((e: unknown) => {
      throw new Error(`${String(e)}\n${text}`)
    })
  }

  it('is one that Prometheus reads', async () => {
    expect(await command('promtool', ['check', 'rules', RULES])).toMatch(/SUCCESS: \d+ rules/)
  })

  it.each(CASES.map((c) => [c.alert, c] as const))(
    '%s fires when it should, and only then',
    async (name, one) => {
      expect(await test(name, alertTests(one, RULES))).toContain('SUCCESS')
    },
  )

  it.each(CASES.map((c) => [c.alert, c] as const))(
    '%s does so as well where the scrape adds labels of its own',
    async (name, one) => {
      const text = alertTests(withForeignLabels(one), RULES)
      expect(await test(`${name}-foreign`, text)).toContain('SUCCESS')
    },
  )

  it.each(RECORDING_CASES.map((c) => [c.record, c] as const))(
    '%s is recorded',
    async (name, one) => {
      expect(await test(name, recordingTests(one, RULES))).toContain('SUCCESS')
    },
  )
})
