import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeTree } from './agent-tree.ts'
import type { AgentTree } from './agent-tree.ts'
import { percentile, table } from './table.ts'
import type { Line } from './table.ts'

// `npm run bench:agent`: our agent beside node_exporter on the same trees. Figures are reported, never asserted: machines differ.

const SIZES = [50, 500]
const WARM_SCRAPES = 60
const SCRAPES = 300
/** Of the clock that /proc/PID/stat counts CPU time with. */
const TICKS_PER_SECOND = 100
const BUDGET = { rssMB: 60, cpuMs: 5 }

type Measured = {
  readonly medianMs: number
  readonly cpuMs: number
  readonly rssMB: number
  readonly anonymousMB: number
  readonly bytes: number
}

const say = (text: string) => void process.stdout.write(`${text}\n`)

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  await new Promise((done) => server.close(done))
  return port
}

async function scrape(port: number): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`)
  return answer.text()
}

/** Until it serves; rejects when it ends before that. */
async function serving(port: number, ended: Promise<never>): Promise<void> {
  for (;;) {
    const up = await Promise.race([scrape(port).catch(() => undefined), ended])
    if (up !== undefined) return
    await Promise.race([new Promise((resolve) => setTimeout(resolve, 50)), ended])
  }
}

function cpuMs(pid: number): number {
  const columns = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return ((Number(columns[11]) + Number(columns[12])) * 1000) / TICKS_PER_SECOND
}

function memoryMB(pid: number, field: 'VmRSS' | 'RssAnon'): number {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(text)?.[1]) / 1024
}

async function measured(program: string, args: (port: number) => string[]): Promise<Measured> {
  const port = await freePort()
  const child = spawn(program, args(port), { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (said += text))
  const ended = new Promise<never>((_, reject) => {
    child.once('error', reject)
    child.once('close', () => reject(new Error(`${program} ended: ${said.slice(-500)}`)))
  })
  ended.catch(() => {})
  try {
    await serving(port, ended)
    const pid = child.pid ?? 0
    for (let n = 0; n < WARM_SCRAPES; n += 1) await scrape(port)
    const before = cpuMs(pid)
    const times: number[] = []
    let bytes = 0
    for (let n = 0; n < SCRAPES; n += 1) {
      const begin = performance.now()
      bytes = (await scrape(port)).length
      times.push(performance.now() - begin)
    }
    return {
      medianMs: percentile(times, 50),
      cpuMs: (cpuMs(pid) - before) / SCRAPES,
      rssMB: memoryMB(pid, 'VmRSS'),
      anonymousMB: memoryMB(pid, 'RssAnon'),
      bytes,
    }
  } finally {
    child.kill('SIGTERM')
  }
}

/** As the DaemonSet starts it. */
function agent({ proc, sys }: AgentTree, bundle: string): Promise<Measured> {
  const flags = [
    '--node-name=bench',
    '--cloud-provider=openstack',
    `--proc=${proc}`,
    `--sys=${sys}`,
  ]
  return measured(process.execPath, (port) => [bundle, 'agent', `--metrics-port=${port}`, ...flags])
}

function nodeExporter({ proc, sys, udev }: AgentTree, program: string): Promise<Measured> {
  return measured(program, (port) => [
    `--web.listen-address=127.0.0.1:${port}`,
    '--collector.disable-defaults',
    '--collector.diskstats',
    `--path.procfs=${proc}`,
    `--path.sysfs=${sys}`,
    `--path.udev.data=${udev}`,
  ])
}

/** The lab's, or one on the PATH; at least 1.10, since earlier ones report no serial. */
function findNodeExporter(): string | undefined {
  const folders = [
    join(homedir(), '.cache', 'couchestor-lab', 'bin'),
    ...(process.env['PATH'] ?? '').split(':'),
  ]
  return folders.map((folder) => join(folder, 'node_exporter')).find((file) => existsSync(file))
}

function lines(disks: number, ours: Measured, theirs: Measured | undefined): Line[] {
  const at = `${disks} disks`
  const of = (who: string, m: Measured, budget: boolean): Line[] => [
    { what: `${who}, ${at}: time of a scrape, median`, measured: m.medianMs, unit: 'ms' },
    {
      what: `${who}, ${at}: CPU of a scrape`,
      measured: m.cpuMs,
      unit: 'ms',
      ...(budget ? { budget: BUDGET.cpuMs } : {}),
    },
    {
      what: `${who}, ${at}: RSS after ${WARM_SCRAPES + SCRAPES} scrapes`,
      measured: m.rssMB,
      unit: 'MB',
      ...(budget ? { budget: BUDGET.rssMB } : {}),
    },
    { what: `${who}, ${at}: of this not shared with files`, measured: m.anonymousMB, unit: 'MB' },
    { what: `${who}, ${at}: size of a scrape`, measured: m.bytes / 1024, unit: 'KiB' },
  ]
  return [
    ...of('agent', ours, true),
    ...(theirs === undefined ? [] : of('node_exporter', theirs, false)),
  ]
}

function ratios(disks: number, ours: Measured, theirs: Measured): string {
  const times = (key: keyof Measured) => `${(ours[key] / theirs[key]).toFixed(2)} x ${key}`
  const keys = ['medianMs', 'cpuMs', 'rssMB', 'bytes'] as const
  return `agent to node_exporter at ${disks} disks: ${keys.map(times).join(', ')}`
}

const folder = mkdtempSync(join(tmpdir(), 'couchestor-bench-agent-'))
try {
  const exporter = findNodeExporter()
  if (exporter === undefined)
    say('node_exporter is not here: the agent is measured alone. `npm run lab up` builds it.')
  const all: Line[] = []
  const compared: string[] = []
  for (const disks of SIZES) {
    const tree = writeTree(join(folder, String(disks)), disks)
    const ours = await agent(tree, 'dist/couchestor.js')
    const theirs = exporter === undefined ? undefined : await nodeExporter(tree, exporter)
    all.push(...lines(disks, ours, theirs))
    if (theirs !== undefined) compared.push(ratios(disks, ours, theirs))
  }
  say(table(all))
  for (const line of compared) say(line)
} finally {
  rmSync(folder, { recursive: true })
}
