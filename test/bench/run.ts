import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import * as measure from './measures.ts'
import type { Line } from './table.ts'
import { table } from './table.ts'

// `npm run bench`: the table of budgets against the simulators. Figures are reported, never asserted: machines differ.

const FLEET_AGE_SECONDS = 2 * 3600
const MOST_CONNECTIONS = 24
const CYCLE_BUDGET: Readonly<Record<number, number>> = { 1000: 0.05, 5000: 0.2, 10_000: 0.4 }
const RSS_BUDGET: Readonly<Record<number, number>> = { 1000: 90, 5000: 110 }

const quick = process.argv.includes('--quick')
const say = (text: string) => void process.stdout.write(`${text}\n`)
const dir = mkdtempSync(join(tmpdir(), 'couchestor-bench-'))
const code = { bundle: join(dir, 'couchestor.mjs'), probe: join(dir, 'probe.mjs') }

/** Compiled, so that the measured process does not hold a compiler. */
async function compileProbe(): Promise<void> {
  await build({
    entryPoints: [join(import.meta.dirname, 'probe.ts')],
    outfile: code.probe,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'warning',
  })
}

type Measured = { readonly lines: readonly Line[]; readonly heldMB: number }

const budgeted = (budget: number | undefined) => (budget === undefined ? {} : { budget })

async function processLines(volumes: number): Promise<Measured> {
  const sim = await measure.simulators({ volumes, managed: true, ageSeconds: FLEET_AGE_SECONDS })
  const { part, readyMs } = await measure.controller(sim, code)
  await measure.worked(sim)
  const begin = await measure.blocksOf(part)
  const first = await measure.memoryOf(part)
  const idle = await measure.idleRequests(sim, quick ? 10_000 : 30_000)
  const rest = await measure.memoryOf(part)
  const before = await measure.connectionsOf(sim)
  const force = await measure.forceLatency(sim, 110)
  const moving = await measure.blocksOf(part)
  const after = await measure.connectionsOf(sim)
  const held = await measure.heldBy(part)
  await part.end()
  await sim.part.end()
  const at = `at ${volumes} volumes`
  return {
    heldMB: held.heapMB,
    lines: [
      { what: `start to ready ${at}`, measured: readyMs / 1000, unit: 's', budget: 2 },
      { what: `RSS ${at}`, measured: rest.rssMB, unit: 'MB', ...budgeted(RSS_BUDGET[volumes]) },
      { what: `peak RSS ${at}`, measured: first.peakMB, unit: 'MB' },
      {
        what: `longest block of the event loop ${at}, start`,
        measured: begin.cpuMs,
        unit: 'ms',
        budget: 50,
      },
      {
        what: `longest block of the event loop ${at}, moves`,
        measured: moving.cpuMs,
        unit: 'ms',
        budget: 50,
      },
      {
        what: `annotation to Cinder request ${at}, p99 of 110`,
        measured: force,
        unit: 'ms',
        budget: 250,
      },
      { what: `API requests per idle minute ${at}`, measured: idle, unit: '', budget: 5 },
      {
        what: `connections to the API server ${at}, most`,
        measured: Math.max(before.open, after.open),
        unit: '',
        budget: MOST_CONNECTIONS,
      },
    ],
  }
}

async function cycleLines(volumes: number): Promise<readonly Line[]> {
  const sim = await measure.simulators({ volumes, managed: true, ageSeconds: FLEET_AGE_SECONDS })
  const { median, longest, prometheus, cpu, blocks, scrapes } = await measure.cycleTimes(
    sim,
    code,
    quick ? 3 : 5,
  )
  await sim.part.end()
  const what = `one cycle of ${volumes} volumes, metrics answer included`
  return [
    { what: `${what}, median`, measured: median, unit: 's', ...budgeted(CYCLE_BUDGET[volumes]) },
    { what: `${what}, longest`, measured: longest, unit: 's' },
    { what: `  of it, busy time of the simulated Prometheus`, measured: prometheus, unit: 's' },
    {
      what: `  processor time of the controller, checkpoint and status included`,
      measured: cpu,
      unit: 's',
    },
    {
      what: `longest block of the event loop in cycles of ${volumes} volumes`,
      measured: blocks.cpuMs,
      unit: 'ms',
      budget: 50,
    },
    { what: `scrape of ${volumes} volumes`, measured: scrapes.own.ms, unit: 'ms' },
    { what: '  its page', measured: scrapes.own.bytes / 1000, unit: 'kB' },
    { what: '  series per volume add (off by default)', measured: scrapes.volumes.ms, unit: 'ms' },
    { what: '  to its page', measured: scrapes.volumes.bytes / 1000, unit: 'kB' },
  ]
}

async function cacheLines(objects: number): Promise<readonly Line[]> {
  const sim = await measure.simulators({ volumes: objects, managed: false, ageSeconds: 0 })
  const { part, readyMs } = await measure.controller(sim, code)
  await measure.pause(2000)
  const blocks = await measure.blocksOf(part)
  const memory = await measure.memoryOf(part)
  const held = await measure.heldBy(part)
  await part.end()
  await sim.part.end()
  const at = `at ${objects} claims + ${objects} volumes`
  return [
    { what: `peak RSS ${at}`, measured: memory.peakMB, unit: 'MB', budget: 300 },
    {
      what: `longest block of the event loop ${at}`,
      measured: blocks.cpuMs,
      unit: 'ms',
      budget: 50,
    },
    { what: `held per object ${at}`, measured: (held.heapMB * 1e6) / (2 * objects), unit: 'B' },
    { what: `start to ready ${at}`, measured: readyMs / 1000, unit: 's' },
  ]
}

async function main(): Promise<void> {
  await compileProbe()
  // another build may replace the bundle meanwhile
  copyFileSync('dist/couchestor.js', code.bundle)
  const lines: Line[] = []
  const add = (more: readonly Line[]) => {
    lines.push(...more)
    say(table(more))
  }
  const sizes = quick ? [1000] : [1000, 5000, 10_000]
  const held: number[] = []
  for (const volumes of sizes) {
    const measured = await processLines(volumes)
    held.push(measured.heldMB)
    add(measured.lines)
    add(await cycleLines(volumes))
  }
  if (!quick) add(await cacheLines(100_000))
  if (sizes.length > 1) {
    const volumes = sizes.at(-1)! - sizes[0]!
    const perVolume = ((held.at(-1)! - held[0]!) * 1e6) / volumes
    add([{ what: 'held per managed volume', measured: perVolume, unit: 'B' }])
  }
  say(`\n${table(lines)}`)
}

try {
  await main()
} finally {
  rmSync(dir, { recursive: true })
}
