import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { command } from '../lab/command.ts'
import { describeLab } from '../lab/describe-lab.ts'
import { theLab } from '../lab/env.ts'
import { backfill } from '../lab/prometheus.ts'
import { loadHistory } from '../lab/volume-counters.ts'

// of their own in each run: Prometheus keeps what an earlier run has back-filled, and two histories in one series read as resets
const BUSY = randomUUID()
const IDLE = randomUUID()
const DAY = 86_400
const POLICY = `apiVersion: couchestor.io/v1alpha1
kind: StoragePolicy
metadata: {name: backtest-lab}
spec:
  tiers:
    - {name: hot, storageClass: couchestor-hot, costPerGiBMonth: 0.3, iopsThreshold: 100}
    - {name: cold, storageClass: couchestor-cold, costPerGiBMonth: 0.1}
  metrics: {ioUnitKiB: 4}
`

describeLab('couchestor backtest on a real Prometheus', () => {
  const folder = mkdtempSync(join(tmpdir(), 'couchestor-backtest-'))
  const file = (name: string) => join(folder, name)

  beforeAll(async () => {
    const now = Math.floor(Date.now() / 1000)
    const loads = [
      { volumeId: BUSY, iops: 800 },
      { volumeId: IDLE, iops: 1 },
    ]
    await backfill(loadHistory(loads, now - 3 * DAY, now - 4 * 3600, 60))
    writeFileSync(file('policy.yaml'), POLICY)
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it('finds the busy volume worth the fast tier and the idle one worth the slow tier', async () => {
    const { prometheusUrl } = theLab()
    // other tests' series in this Prometheus come every 5 s; measured from those, ours would look full of holes
    const config = `prometheus: {endpoint: '${prometheusUrl}', scrape_interval: 60s}\n`
    writeFileSync(file('config.yaml'), config)
    const args = ['--policy', file('policy.yaml'), '--config', file('config.yaml'), '--days', '3']
    const outputs = ['--out', file('out.ndjson'), '--html', file('report.html')]
    const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts')
    await command(
      process.execPath,
      [main, 'backtest', ...args, '--size', '50', '--start', 'cold', ...outputs],
      { env: { KUBECONFIG: '', HOME: folder } },
    )
    const decisions = readFileSync(file('out.ndjson'), 'utf8').trim().split('\n')
    const moves = decisions.map((line) => JSON.parse(line) as { volume: string; to: string })

    expect(moves.filter((m) => m.volume === BUSY)).toMatchObject([{ to: 'hot' }])
    expect(moves.filter((m) => m.volume === IDLE)).toEqual([])
    expect(readFileSync(file('report.html'), 'utf8')).toContain(BUSY)
  })
})
