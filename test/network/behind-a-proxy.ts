import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/main/system-clock.ts'
import { serveProxy } from '../../src/sim/proxy.ts'
import type { ProxyOptions, ProxySim } from '../../src/sim/proxy.ts'
import { serve } from '../../src/sim/server.ts'
import { WORLD_ORIGINS } from '../../src/sim/world.ts'
import type { World } from '../../src/sim/world.ts'
import { worldWith } from '../harness.ts'

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts')

export type Ran = { readonly code: number; readonly out: string; readonly err: string }

/** A world whose names (`http://kube.sim` and so on) exist only behind a proxy, and the program as a process outside. */
export type Behind = {
  readonly world: World
  readonly proxy: ProxySim
  /** Real `host:port` of a service. */
  readonly direct: (service: keyof typeof WORLD_ORIGINS) => string
  /** Writes one for an API server, by default the one behind the proxy, and gives its path. */
  kubeconfig(server?: string): string
  /** `server` is the API server of the kubeconfig; null = there is none. */
  run(
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    server?: string | null,
  ): Promise<Ran>
  /** Starts one that runs until it is stopped, which gives what it logged. */
  start(args: readonly string[], env: Readonly<Record<string, string>>): () => Promise<string>
  close(): Promise<void>
}

export async function behindAProxy(options: Partial<ProxyOptions> = {}): Promise<Behind> {
  const world = worldWith({ clock: systemClock })
  const servers = new Map<string, Awaited<ReturnType<typeof serve>>>()
  for (const [origin, handler] of Object.entries(world.routes))
    servers.set(origin, await serve(handler))
  const hosts = Object.fromEntries(
    [...servers].map(([origin, s]) => [`${new URL(origin).hostname}:80`, `127.0.0.1:${s.port}`]),
  )
  const proxy = await serveProxy({ ...options, hosts: { ...hosts, ...options.hosts } })
  const folder = mkdtempSync(join(tmpdir(), 'couchestor-proxy-'))
  const kubeconfig = (server: string = WORLD_ORIGINS.kube) => {
    const path = join(folder, 'kubeconfig')
    writeFileSync(path, kubeconfigFor(server))
    return path
  }
  return {
    world,
    proxy,
    direct: (service) => `127.0.0.1:${servers.get(WORLD_ORIGINS[service])!.port}`,
    kubeconfig,
    run: (args, env, server) =>
      run(
        server === null ? args : [...args, '--kubeconfig', kubeconfig(server)],
        { ...credentialOf(world), ...env },
        folder,
      ),
    start: (args, env) => {
      const child = spawn(process.execPath, [MAIN, ...args], {
        env: { HOME: folder, ...credentialOf(world), ...env },
        cwd: folder,
      })
      let log = ''
      child.stdout.on('data', (text: Buffer) => void (log += text.toString()))
      child.stderr.on('data', (text: Buffer) => void (log += text.toString()))
      const ended = new Promise<string>((resolve) => child.on('close', () => resolve(log)))
      return () => {
        child.kill('SIGTERM')
        return ended
      }
    },
    close: async () => {
      await proxy.close()
      for (const server of servers.values()) await server.close()
      rmSync(folder, { recursive: true })
    },
  }
}

function credentialOf(world: World): Record<string, string> {
  const { id, secret } = world.cloud.seams.operator
  return {
    OS_AUTH_URL: `${WORLD_ORIGINS.identity}/v3`,
    OS_APPLICATION_CREDENTIAL_ID: id,
    OS_APPLICATION_CREDENTIAL_SECRET: secret,
  }
}

const kubeconfigFor = (server: string) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'sim',
    clusters: [{ name: 'sim', cluster: { server } }],
    users: [{ name: 'sim', user: {} }],
    contexts: [{ name: 'sim', context: { cluster: 'sim', user: 'sim' } }],
  })

function run(args: readonly string[], env: NodeJS.ProcessEnv, home: string): Promise<Ran> {
  return new Promise((resolve) => {
    const options = { env: { HOME: home, ...env }, cwd: home, timeout: 60_000 }
    execFile(process.execPath, [MAIN, ...args], options, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err }),
    )
  })
}
