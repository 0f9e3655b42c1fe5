import { describe, expect, it } from 'vitest'
import type { ActivitySource, VolumeActivity } from '../../src/activity/types.ts'
import { loadConfig } from '../../src/api/config.ts'
import { BACKTEST_FLAGS, runBacktest } from '../../src/cli/backtest/command.ts'
import type { BacktestDeps } from '../../src/cli/backtest/command.ts'
import { readFlags } from '../../src/cli/flags.ts'
import type { KubeClient, KubeObject } from '../../src/kube/types.ts'
import { SCENARIO, traceText } from './fixtures.ts'

const NOW = Date.UTC(2026, 0, 15, 12)

type Ran = {
  readonly files: Map<string, string>
  readonly out: string
  readonly bar: string
}

type World = {
  readonly files?: Readonly<Record<string, string>>
  readonly source?: ActivitySource
  readonly kube?: Pick<KubeClient, 'list' | 'close'>
  readonly tty?: boolean
}

const TRACE = traceText({
  busy: { gib: 100, iops: new Array<number>(300).fill(5000) },
  idle: { gib: 50, iops: new Array<number>(300).fill(1) },
  'odd<&"name': { gib: 10, iops: Array.from({ length: 300 }, (_, i) => (i % 48 < 4 ? 400 : 20)) },
})

async function run(args: readonly string[], world: World = {}): Promise<Ran> {
  const files = new Map(
    Object.entries(
      world.files ?? { 's.json': JSON.stringify(SCENARIO), 'dir/trace.csv': TRACE, 'o.csv': TRACE },
    ),
  )
  let out = ''
  let bar = ''
  let ticks = 0
  const deps: BacktestDeps = {
    clock: {
      now: () => NOW,
      monotonic: () => (ticks += 60),
      boot: () => ticks,
      setTimer: (_ms, fn) => {
        queueMicrotask(fn)
        return { cancel() {} }
      },
    },
    readFile: (path) => {
      const text = files.get(path)
      return text === undefined ? Promise.reject(new Error('no such file')) : Promise.resolve(text)
    },
    writeFile: (path, text) => Promise.resolve(void files.set(path, text)),
    resolve: (_beside, path) => `dir/${path}`,
    out: { write: (text) => (out += text) },
    terminal: { isTTY: world.tty ?? false, write: (text) => (bar += text) },
    config: () => loadConfig('none', () => Promise.resolve('')),
    source: () => world.source ?? { name: 'none', lagSeconds: 60, window: () => never() },
    kube: () => Promise.resolve(world.kube),
  }
  expect(await runBacktest(readFlags('backtest', args, BACKTEST_FLAGS), deps)).toBe(0)
  return { files, out, bar }
}

function never(): Promise<never> {
  return Promise.reject(new Error('not asked'))
}

const lines = (text: string | undefined) =>
  (text ?? '')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

describe('couchestor backtest on a trace', () => {
  it('writes decisions as the contract has them, by volume', async () => {
    const { files } = await run(['--scenario', 's.json', '--out', 'd.ndjson'])
    const decisions = lines(files.get('d.ndjson'))

    expect(decisions[0]).toEqual({ volume: 'busy', at: 1800, from: 'warm', to: 'hot' })
    expect(decisions[1]).toMatchObject({ volume: 'idle', from: 'warm', to: 'cold' })
  })

  it('writes the same files each time', async () => {
    const args = ['--scenario', 's.json', '--guards', '--out', 'd', '--json', 'j', '--html', 'h']
    const [first, second] = [await run(args), await run(args)]

    expect(second.files).toEqual(first.files)
    expect(second.out).toBe(first.out)
  })

  it('prefers --trace to the trace of the scenario', async () => {
    const other = traceText({ other: { gib: 1, iops: new Array<number>(9).fill(9000) } })
    const files = { 's.json': JSON.stringify(SCENARIO), 'dir/trace.csv': TRACE, 'o.csv': other }
    const ran = await run(['--scenario', 's.json', '--trace', 'o.csv', '--out', 'd'], { files })

    expect(lines(ran.files.get('d')).map((l) => l['volume'])).toEqual(['other'])
  })

  it('compares the rule with every plan, and with the exact optimum', async () => {
    const { files, out } = await run(['--scenario', 's.json', '--json', 'j.json'])
    const report = JSON.parse(files.get('j.json') ?? '') as {
      plans: { plan: string; cost: number; ratio: number }[]
    }

    expect(report.plans.map((p) => p.plan)).toEqual([
      'couchestor',
      'all-hot',
      'stay',
      'best-static',
      'optimum',
    ])
    expect(report.plans.at(-1)?.ratio).toBeCloseTo(1, 12)
    for (const { plan, cost } of report.plans)
      expect(out).toMatch(new RegExp(`${plan} .*${cost.toFixed(2)}`))
  })

  it('shows what each guard costs', async () => {
    const { out, files } = await run(['--scenario', 's.json', '--guards', '--out', 'd'])

    expect(out).toMatch(/no guards[^]*only minimum history[^]*only cooldown[^]*all guards/)
    const idle = lines(files.get('d')).find((l) => l['volume'] === 'idle')
    expect(idle?.['at']).toBe(86_400)
  })

  it('draws a page that asks nobody for anything, and escapes names', async () => {
    const { files } = await run(['--scenario', 's.json', '--guards', '--html', 'r.html'])
    const html = files.get('r.html') ?? ''

    expect(html).toContain('<svg')
    expect(html).toContain('prefers-color-scheme: dark')
    expect(html).toContain('odd&lt;&amp;&quot;name')
    expect(html).not.toMatch(/odd<|<script|<link|<img|<iframe|@import|https?:|\ssrc=|\shref=/i)
    expect(html.match(/url\([^)]*\)/g)?.every((u) => u === 'url(#plot)')).toBe(true)
    expect(html).not.toMatch(/NaN|undefined|Infinity/)
  })

  it('shows how far it is, on a terminal only', async () => {
    expect((await run(['--scenario', 's.json'], { tty: true })).bar).toMatch(
      /replaying \[#+-*\] \d+ %/,
    )
    expect((await run(['--scenario', 's.json'])).bar).toBe('')
  })

  it.each([
    [[], 'give either --scenario FILE'],
    [['--scenario', 's.json', '--policy', 'p.yaml'], 'not both'],
    [['--scenario', 'none.json'], 'the scenario none.json cannot be read (no such file)'],
    [['--scenario', 's.json', '--trace', 'none.csv'], 'the trace none.csv cannot be read'],
    [
      ['--scenario', 's.json', '--rule', 'naiv-1h'],
      'there is no rule "naiv-1h" (did you mean naive-1h?)',
    ],
  ])('with %j says in one sentence what to do', async (args, message) => {
    await expect(run(args)).rejects.toThrow(message)
  })

  it('lists its rules', async () => {
    const { out } = await run(['--rule', 'list'])

    for (const name of ['naive-1h', 'wfa', 'lead', 'told-12h', 'best-static', 'stay'])
      expect(out).toContain(`  ${name} `)
  })
})

const POLICY = `apiVersion: couchestor.io/v1alpha1
kind: StoragePolicy
metadata: {name: mine}
spec:
  selector: {matchLabels: {tiering: 'on'}}
  tiers:
    - {name: hot, storageClass: fast, costPerGiBMonth: 0.3, iopsThreshold: 100}
    - {name: cold, storageClass: slow, costPerGiBMonth: 0.1}
`
const BUSY = '00000000-0000-4000-8000-000000000001'
const IDLE = '00000000-0000-4000-8000-000000000002'
const FOREIGN = '00000000-0000-4000-8000-000000000003'

function sourceOf(
  activity: (id: string, end: number) => number | undefined,
): ActivitySource & { asked: number[] } {
  const asked: number[] = []
  return {
    asked,
    name: 'scripted',
    lagSeconds: 60,
    window: ({ endSeconds }) => {
      asked.push(endSeconds)
      const volumes = new Map<string, VolumeActivity>()
      for (const id of [BUSY, IDLE, FOREIGN]) {
        const iops = activity(id, endSeconds)
        if (iops !== undefined)
          volumes.set(id, { operationsPerSecond: iops, bytesPerSecond: 0, coveragePercent: 100 })
      }
      return Promise.resolve({ kind: 'Answer', volumes, warnings: [] })
    },
  }
}

function cluster(): Pick<KubeClient, 'list' | 'close'> {
  const claim = (name: string, storageClassName: string, tiering: string) => ({
    metadata: { name, namespace: 'app', labels: { tiering } },
    spec: { volumeName: `pv-${name}`, storageClassName },
  })
  const volume = (name: string, volumeHandle: string) => ({
    metadata: { name: `pv-${name}` },
    spec: {
      capacity: { storage: '20Gi' },
      csi: { driver: 'cinder.csi.openstack.org', volumeHandle },
      claimRef: { namespace: 'app', name },
    },
  })
  const objects: Record<string, KubeObject[]> = {
    persistentvolumeclaims: [
      claim('busy', 'slow', 'on'),
      claim('idle', 'fast', 'on'),
      claim('foreign', 'fast', 'off'),
    ],
    persistentvolumes: [volume('busy', BUSY), volume('idle', IDLE), volume('foreign', FOREIGN)],
  }
  return {
    list: <T>({ plural }: { plural: string }) =>
      Promise.resolve({ items: (objects[plural] ?? []) as T[], resourceVersion: '1' }),
    close: () => Promise.resolve(),
  }
}

describe('couchestor backtest on the history of the cluster', () => {
  const files = { 'p.yaml': POLICY }
  const args = ['--policy', 'p.yaml', '--prometheus', 'http://prometheus:9090', '--days', '4']

  it('replays the volumes that the policy selects, from the tiers of their storage classes', async () => {
    const source = sourceOf((id) => (id === BUSY ? 900 : 1))
    const ran = await run([...args, '--out', 'd'], { files, source, kube: cluster() })

    expect(source.asked).toHaveLength(4 * 48)
    expect(source.asked.at(-1)).toBe(Math.floor((NOW / 1000 - 60) / 1800) * 1800)
    expect(lines(ran.files.get('d'))).toEqual([
      { volume: 'app/busy', at: 1800, from: 'cold', to: 'hot' },
      { volume: 'app/idle', at: expect.any(Number), from: 'hot', to: 'cold' },
    ])
    expect(ran.out).toContain('1 volumes with usage numbers belong to no claim of this policy')
  })

  it('takes missing windows as gaps, never as zero', async () => {
    const source = sourceOf((id, end) => (id === IDLE && (end / 1800) % 20 < 1 ? 1 : undefined))
    const ran = await run([...args, '--out', 'd'], { files, source, kube: cluster() })

    expect(ran.files.get('d')).toBe('')
    expect(ran.out).toMatch(/9[0-9] % of the windows have no usage numbers/)
  })

  it('waits as the policy says with --guards', async () => {
    const source = sourceOf(() => 1)
    const ran = await run([...args, '--guards', '--out', 'd'], { files, source, kube: cluster() })

    expect(lines(ran.files.get('d'))).toEqual([
      { volume: 'app/idle', at: 86_400, from: 'hot', to: 'cold' },
    ])
  })

  it('needs sizes from somewhere', async () => {
    const source = sourceOf(() => 1)

    await expect(run(args, { files, source })).rejects.toThrow(
      'give --kubeconfig FILE, or --size GIB',
    )
    const ran = await run([...args, '--size', '5', '--start', 'cold'], { files, source })
    expect(ran.out).toContain('3 volumes')
    await expect(
      run([...args, '--size', '5', '--start', 'lukewarm'], { files, source }),
    ).rejects.toThrow('--start: "lukewarm" is no tier of the policy; write one of hot, cold')
  })

  it('says what is wrong with source, history and policy in one sentence', async () => {
    const kube = cluster()
    const down: ActivitySource = {
      name: 'down',
      lagSeconds: 60,
      window: () => Promise.resolve({ kind: 'Down', why: 'Prometheus http://p does not answer' }),
    }
    await expect(run(args, { files, kube, source: down })).rejects.toThrow(
      'Prometheus http://p does not answer; nothing can be replayed',
    )
    const empty = sourceOf(() => undefined)
    await expect(run(args, { files, kube, source: empty })).rejects.toThrow(
      'no usage numbers of the last 4 days for the volumes of policy "mine": check --preset and --days',
    )
    const noTiers = { 'p.yaml': POLICY.replace('iopsThreshold: 100', 'iopsThreshold: -1') }
    await expect(run(args, { files: noTiers, kube, source: empty })).rejects.toThrow(
      'p.yaml: spec.tiers[0].iopsThreshold is -1',
    )
  })
})
