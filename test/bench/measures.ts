import { join } from 'node:path'
import { openStackEnv, writeConfigs } from './environment.ts'
import type { FleetOptions } from './fleet.ts'
import { startPart } from './messages.ts'
import type { Part } from './messages.ts'
import type { Blocks, Memory } from './probe.ts'
import type { Connections, SimUrls } from './sim-process.ts'
import { percentile } from './table.ts'

/** Longer than a poll of two seconds: settled means that nothing has been written for this long. */
const QUIET_MS = 3000
const MOST_WAIT_MS = 300_000

/** Of the chart and of the image: what is measured is what runs in a cluster. */
export const AS_DEPLOYED = { NODE_OPTIONS: '--max-semi-space-size=1', MALLOC_ARENA_MAX: '1' }

const module = (name: string) => join(import.meta.dirname, `${name}.ts`)
export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

export type Simulators = { readonly part: Part; readonly urls: SimUrls }

/** Simulators with a fleet, in a process of their own. */
export async function simulators(fleet: FleetOptions): Promise<Simulators> {
  const part = startPart(module('sim-process'), [], {
    execArgv: ['--max-old-space-size=12000', '--disable-warning=ExperimentalWarning'],
  })
  const urls = await part.ask<SimUrls>('start')
  await part.ask('seed', fleet)
  return { part, urls }
}

export type Controller = { readonly part: Part; readonly readyMs: number }

/** The bundle as it is shipped, and what is loaded before it to inspect its process; both JavaScript modules. */
export type Code = { readonly bundle: string; readonly probe: string }

/** The measured process. Waits until it is ready. */
export async function controller(sim: Simulators, { bundle, probe }: Code): Promise<Controller> {
  const { config, kubeconfig } = writeConfigs(sim.urls)
  const flags = ['--config', config, '--kubeconfig', kubeconfig, '--log-level', 'warn']
  const health = await freePort()
  const ports = ['--metrics-port', '0', '--health-port', String(health)]
  const started = performance.now()
  const part = startPart(bundle, ['controller', ...flags, ...ports], {
    execArgv: ['--import', probe],
    env: {
      ...process.env,
      ...AS_DEPLOYED,
      ...openStackEnv(sim.urls),
      POD_NAMESPACE: 'couchestor-system',
    },
  })
  let serving = false
  for (;;) {
    const status = await statusOf(health)
    if (status === 200) break
    if (part.process.exitCode !== null) throw new Error('the controller ended before it was ready')
    // loading the code is one long block that nobody waits for but the start
    if (status !== undefined && !serving) await blocksOf(part)
    serving ||= status !== undefined
    await pause(10)
  }
  return { part, readyMs: performance.now() - started }
}

/** Of the readiness probe; undefined while nobody listens. */
async function statusOf(port: number): Promise<number | undefined> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/readyz`)).status
  } catch {
    return undefined
  }
}

async function freePort(): Promise<number> {
  const { createServer } = await import('node:net')
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0))
    })
  })
}

/** Waits until a leader has worked through everything once: it writes the status of the policy then. */
export async function worked(sim: Simulators): Promise<void> {
  const until = performance.now() + MOST_WAIT_MS
  while (performance.now() < until) {
    const seen = await sim.part.ask<Record<string, number>>('requests')
    if (seen['patch storagepolicies/status'] !== undefined) break
    await pause(100)
  }
  await settled(sim)
}

/** Waits until the API server has seen no request for a while. Returns what it saw, by verb and resource. */
export async function settled({ part }: Simulators): Promise<Record<string, number>> {
  const total: Record<string, number> = {}
  const until = performance.now() + MOST_WAIT_MS
  let quietSince = performance.now()
  while (performance.now() - quietSince < QUIET_MS && performance.now() < until) {
    await pause(500)
    const seen = await part.ask<Record<string, number>>('requests')
    for (const [what, count] of Object.entries(seen)) {
      total[what] = (total[what] ?? 0) + count
      quietSince = performance.now()
    }
  }
  return total
}

/** Requests to the API server in `ms`, per minute. */
export async function idleRequests({ part }: Simulators, ms: number): Promise<number> {
  await part.ask('requests')
  await pause(ms)
  const seen = await part.ask<Record<string, number>>('requests')
  const count = Object.values(seen).reduce((sum, n) => sum + n, 0)
  return (count * 60_000) / ms
}

export const memoryOf = (part: Part) => part.ask<Memory>('memory')
/** After a collection: what is really held. */
export const heldBy = (part: Part) => part.ask<Memory>('collected')
/** Longest since the last question. */
export const blocksOf = (part: Part) => part.ask<Blocks>('blocks')
export const connectionsOf = (sim: Simulators) => sim.part.ask<Connections>('connections')

/** p99 of the milliseconds from the annotation to Cinder's request. */
export async function forceLatency({ part }: Simulators, count: number): Promise<number> {
  const took = await part.ask<number[]>('force', { count, everyMs: 100 })
  return percentile(took, 99)
}
