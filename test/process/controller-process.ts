import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SimHandler } from '../../src/sim/handler.ts'
import { serve } from '../../src/sim/server.ts'
import { POLICY } from '../controller/stage.ts'
import { worldWith } from '../harness.ts'
import { systemClock } from '../../src/main/system-clock.ts'

const LEASE = { name: 'couchestor-controller', namespace: 'couchestor-system' }
const ROOT = join(import.meta.dirname, '..', '..')

/** How a service behaves from now on: as it should, answering 500, or accepting requests and never answering. */
export type Health = 'well' | 'failing' | 'hanging'

export type ControllerRun = {
  /** Changes how the API server, or OpenStack and Prometheus, answer. */
  api(health: Health): void
  cloud(health: Health): void
  /** Another replica writes itself into the Lease. */
  stealLease(): void
  /** Resolves once a log line has this message. */
  logged(msg: string): Promise<void>
  /** Resolves to the exit code, or to `alive` when the process still runs after `withinMs`. */
  exit(withinMs: number): Promise<number | null | 'alive'>
  signal(name: NodeJS.Signals): void
  readonly output: () => string
  close(): Promise<void>
}

/** `couchestor controller` as a process of its own, against simulated services behind real sockets. */
export async function runController(options: { cloud?: Health } = {}): Promise<ControllerRun> {
  const world = worldWith({ clock: systemClock })
  const health: { api: Health; cloud: Health } = { api: 'well', cloud: options.cloud ?? 'well' }
  const api = await serve(asHealthyAs(() => health.api, world.api.handle))
  const others = await Promise.all(
    [world.cloud.keystone, world.cloud.cinder, world.prometheus.handle].map((handle) =>
      serve(asHealthyAs(() => health.cloud, handle)),
    ),
  )
  const [keystone, cinder, prometheus] = others.map((s) => s.url)
  world.api.seed({
    apiVersion: 'couchestor.io/v1alpha1',
    kind: 'StoragePolicy',
    metadata: { name: 'tiered', generation: 1 },
    spec: POLICY,
  })
  world.addClaim({
    namespace: 'default',
    name: 'idle',
    sizeGiB: 1,
    tier: 'hot',
    iops: 1,
    labels: { app: 'stage' },
  })
  // as a leader that ended well leaves it: the next one need not wait
  world.api.seed({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: LEASE,
    spec: { holderIdentity: '', leaseDurationSeconds: 1, leaseTransitions: 1 },
  })
  const folder = mkdtempSync(join(tmpdir(), 'couchestor-process-'))
  writeFileSync(join(folder, 'kubeconfig'), kubeconfig(api.url))
  writeFileSync(
    join(folder, 'config.yaml'),
    `openstack:\n  endpoint_override: ${cinder}/v3/${world.cloud.seams.couchestor.project.id}\nprometheus:\n  endpoint: ${prometheus}\n`,
  )
  const { id, secret } = world.cloud.seams.operator
  const child = spawn(
    process.execPath,
    [
      join(ROOT, 'src/main.ts'),
      'controller',
      `--config=${join(folder, 'config.yaml')}`,
      `--kubeconfig=${join(folder, 'kubeconfig')}`,
      '--metrics-port=0',
      '--health-port=0',
    ],
    {
      cwd: folder,
      env: {
        PATH: process.env['PATH'],
        HOME: folder,
        POD_NAMESPACE: 'couchestor-system',
        OS_AUTH_URL: `${keystone}/v3`,
        OS_REGION_NAME: 'RegionOne',
        OS_APPLICATION_CREDENTIAL_ID: id,
        OS_APPLICATION_CREDENTIAL_SECRET: secret,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  let output = ''
  const waiting = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
      for (const check of waiting) check()
    })
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => resolve(code))
  })
  return {
    api: (h) => void (health.api = h),
    cloud: (h) => void (health.cloud = h),
    stealLease: () => {
      const lease = world.api
        .objects('/apis/coordination.k8s.io/v1/leases')
        .find((o) => o.metadata.name === LEASE.name)
      if (lease === undefined) throw new Error('no lease')
      const spec = { ...(lease['spec'] as object), holderIdentity: 'another', leaseTransitions: 99 }
      world.api.seed({ ...lease, spec })
    },
    output: () => output,
    logged: (msg) =>
      Promise.race([
        new Promise<void>((resolve) => {
          const check = () => {
            if (!output.includes(`"msg":"${msg}"`)) return
            waiting.delete(check)
            resolve()
          }
          waiting.add(check)
          check()
        }),
        ended.then((code) => Promise.reject(new Error(`ended with ${code}: ${output}`))),
      ]),
    exit: async (withinMs) => {
      const patience = new AbortController()
      const alive = new Promise<'alive'>((resolve) => {
        const timer = setTimeout(() => resolve('alive'), withinMs)
        patience.signal.addEventListener('abort', () => clearTimeout(timer))
      })
      const end = await Promise.race([ended, alive])
      patience.abort()
      return end
    },
    signal: (name) => void child.kill(name),
    close: async () => {
      child.kill('SIGKILL')
      await ended
      await Promise.all([api, ...others].map((s) => s.close()))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function asHealthyAs(health: () => Health, handle: SimHandler): SimHandler {
  return (request) => {
    if (health() === 'hanging') return new Promise(() => {})
    if (health() === 'failing')
      return Promise.resolve({ status: 500, headers: {}, body: 'simulated outage' })
    return handle(request)
  }
}

function kubeconfig(server: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'sim', cluster: { server } }],
    users: [{ name: 'sim', user: { token: 'sim' } }],
    contexts: [{ name: 'sim', context: { cluster: 'sim', user: 'sim' } }],
    'current-context': 'sim',
  })
}
