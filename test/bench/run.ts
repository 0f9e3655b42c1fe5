import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import * as against from './against.ts'
import { CycleRunner, median } from './cycles.ts'
import type { Cycle } from './cycles.ts'
import * as measure from './measures.ts'
import { compileCycle, compileProbe } from './programs.ts'
import type { Line } from './table.ts'
import { table } from './table.ts'

// `npm run bench`: the table of budgets against the simulators. Figures are reported, never asserted: machines differ.
// `npm run bench -- --against COMMIT`: this source tree beside that commit, and failure when it needs clearly more
// processor time at 1,000 volumes. Both with --quick: fewer rounds, the smallest fleet only.

const FLEET_AGE_SECONDS = 2 * 3600
const MOST_CONNECTIONS = 24
const CYCLE_BUDGET: Readonly<Record<number, number>> = { 1000: 0.05, 5000: 0.2, 10_000: 0.4 }
const RSS_BUDGET: Readonly<Record<number, number>> = { 1000: 90, 5000: 110 }

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, against: { type: 'string' } },
})
const { quick } = options
const say = (text: string) => void process.stdout.write(`${text}\n`)
const dir = mkdtempSync(join(tmpdir(), 'couchestor-bench-'))
const code = {
  bundle: join(dir, 'couchestor.mjs'),
  probe: join(dir, 'probe.mjs'),
  program: join(dir, 'cycle.mjs'),
}

type Measured = { readonly lines: readonly Line[]; readonly heldMB: number }

const budgeted = (budget: number | undefined) => (budget === undefined ? {} : { budget })

async function processLines(volumes: number): Promise<Measured> {
  const sim = await measure.simulators({ volumes, managed: true, ageSeconds: FLEET_AGE_SECONDS })
  const { part, readyMs } = await measure.controller(sim, code)
  await measure.worked(sim)
  const begin = await measure.blocksOf(part)
  const cpu = (await part.ask<number>('cpu')) / 1000
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
      { what: `anonymous memory ${at}`, measured: rest.anonymousMB, unit: 'MB' },
      { what: `processor time until all is worked through ${at}`, measured: cpu, unit: 's' },
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
  const fleet = { volumes, managed: true, ageSeconds: FLEET_AGE_SECONDS }
  const runner = await CycleRunner.start(fleet, code)
  const cycles: Cycle[] = []
  for (let i = 0; i < (quick ? 3 : 5); i++) cycles.push(await runner.cycle())
  const scrapes = await runner.scrapes()
  await runner.end()
  const what = `one cycle of ${volumes} volumes, metrics answer included`
  const longest = (key: keyof Cycle) => Math.max(...cycles.map((c) => c[key]))
  return [
    {
      what: `${what}, median`,
      measured: median(cycles, 'seconds'),
      unit: 's',
      ...budgeted(CYCLE_BUDGET[volumes]),
    },
    { what: `${what}, longest`, measured: longest('seconds'), unit: 's' },
    {
      what: `  of it, busy time of the simulated Prometheus`,
      measured: median(cycles, 'prometheus'),
      unit: 's',
    },
    {
      what: `  processor time of the controller, checkpoint and status included`,
      measured: median(cycles, 'cpu'),
      unit: 's',
    },
    { what: '  anonymous memory after it', measured: median(cycles, 'anonymousMB'), unit: 'MB' },
    { what: '  RSS after it', measured: median(cycles, 'rssMB'), unit: 'MB' },
    {
      what: `longest block of the event loop in cycles of ${volumes} volumes`,
      measured: longest('blockMs'),
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
  const cpu = (await part.ask<number>('cpu')) / 1000
  const held = await measure.heldBy(part)
  await part.end()
  await sim.part.end()
  const at = `at ${objects} claims + ${objects} volumes`
  return [
    { what: `peak RSS ${at}`, measured: memory.peakMB, unit: 'MB', budget: 300 },
    { what: `anonymous memory ${at}`, measured: memory.anonymousMB, unit: 'MB' },
    { what: `processor time of the start ${at}`, measured: cpu, unit: 's' },
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

/** False when this version is clearly slower. */
async function compareWith(commit: string): Promise<boolean> {
  await compileProbe(code.probe)
  const programs = await against.compileBoth(commit, dir)
  let fast = true
  for (const volumes of quick ? [against.CHECKED_VOLUMES] : [against.CHECKED_VOLUMES, 10_000]) {
    const compared = await against.compare(volumes, quick ? 5 : 9, programs, code.probe)
    say(`${against.comparisonTable(compared, commit.slice(0, 12))}\n`)
    if (volumes !== against.CHECKED_VOLUMES) continue
    const ratio = against.processorRatio(compared)
    fast = ratio <= against.MOST_PROCESSOR_RATIO
    say(
      `processor time at ${volumes} volumes: ${ratio.toFixed(2)} times that of ${commit}, ${fast ? 'ok' : 'too much'} (at most ${against.MOST_PROCESSOR_RATIO})\n`,
    )
  }
  return fast
}

async function showBudgets(): Promise<void> {
  await compileProbe(code.probe)
  await compileCycle(code.program)
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
  if (options.against === undefined) await showBudgets()
  else if (!(await compareWith(options.against))) process.exitCode = 1
} catch (e) {
  process.stderr.write(`${e instanceof Error ? e.message : String(e)}\n`)
  process.exitCode = 1
} finally {
  rmSync(dir, { recursive: true })
}
