import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeLab } from '../lab/describe-lab.ts'
import { lab, theLab } from '../lab/env.ts'
import { kubectl } from '../lab/kubectl.ts'
import { blocksOf } from './markdown.ts'
import { runBlock } from './shell.ts'

const BLOCKS = blocksOf('docs/quick-start.md').filter(({ language }) => language === 'sh')
/** What the page promises. Its steps wait for the cluster, so this is no measure of speed. */
const PROMISED_SECONDS = 300

/** As on a cluster that has never seen us: whatever tests before have left is gone. */
async function neverInstalled(): Promise<void> {
  const absent = ['--ignore-not-found', '--timeout=120s']
  await kubectl(['delete', 'crd', ...absent, '-l', 'app.kubernetes.io/part-of=couchestor'])
  await kubectl([
    'delete',
    'crd',
    ...absent,
    ...['storagepolicies', 'volumemigrations', 'tieringcheckpoints'].map(
      (kind) => `${kind}.couchestor.io`,
    ),
  ])
  await kubectl(['delete', 'clusterrole,clusterrolebinding', 'couchestor', ...absent])
  await kubectl(['delete', 'namespace', 'couchestor-system', ...absent])
}

describeLab('the quick start, word for word', () => {
  const home = mkdtempSync(join(tmpdir(), 'couchestor-quick-start-'))
  const env = { ...process.env, ...lab?.env, HOME: home, npm_config_cache: `${home}/npm` }
  const seconds: number[] = []
  let instead: Readonly<Record<string, string>>

  beforeAll(async () => {
    const value = (key: string): string => theLab().env[key] ?? ''
    instead = {
      'https://keystone.example.com:5000/v3': value('OS_AUTH_URL'),
      '<credential-id>': value('OS_APPLICATION_CREDENTIAL_ID'),
      '<credential-secret>': value('OS_APPLICATION_CREDENTIAL_SECRET'),
      'http://prometheus-server.monitoring.svc:9090': value('PROMETHEUS_URL'),
      // these tests run on an installed tree, which must not be pulled from under them
      'npm ci && ': '',
    }
    await neverInstalled()
  })
  afterAll(async () => {
    await kubectl(['delete', 'pvc/quick-start', 'sc/couchestor-try', '--ignore-not-found'])
    await runBlock('helm uninstall couchestor --namespace couchestor-system || true', env, {})
    await neverInstalled()
    rmSync(home, { recursive: true })
  })

  it.each(BLOCKS.map(({ text }) => [text.split('\n')[0]!, text]))(
    '%s',
    async (_, text) => {
      const ran = await runBlock(text, env, instead)
      seconds.push(ran.seconds)
      expect(ran.output).not.toContain(instead['<credential-secret>'])
      expect(ran).toMatchObject({ code: 0 })
    },
    300_000,
  )

  it(`takes less than the five minutes it promises`, () => {
    const total = seconds.reduce((sum, s) => sum + s, 0)
    process.stdout.write(`quick start: ${total.toFixed(0)} s\n`)
    expect(seconds).toHaveLength(BLOCKS.length)
    expect(total).toBeLessThan(PROMISED_SECONDS)
  })
})
