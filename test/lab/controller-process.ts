import { spawn } from 'node:child_process'
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dump, load } from 'js-yaml'
import { GUIDE, manifestsIn } from '../crds/manifests.ts'
import { command } from './command.ts'
import { theLab } from './env.ts'
import { eventually } from './eventually.ts'
import { kubectl, kubectlJson } from './kubectl.ts'
import type { Cloud } from './openstack.ts'

export const CONTROLLER_NAMESPACE = 'couchestor-system'

export type LogLine = Readonly<Record<string, unknown>> & {
  readonly level: string
  readonly msg: string
}

export type ControllerEnd = { readonly code: number | null; readonly seconds: number }

/** The bundled controller as a process of its own, with the rights of its ServiceAccount and nothing more. */
export interface ControllerProcess {
  readonly metricsUrl: string
  readonly healthUrl: string
  /** The ServiceAccount's token, to look for where it must not be. */
  readonly token: string
  /** Everything it has written. */
  text(): string
  lines(): readonly LogLine[]
  /** Waits for a line with that message. */
  logged(msg: string, seconds?: number): Promise<LogLine>
  /** undefined while it runs. */
  end(): ControllerEnd | undefined
  /** Resolves when it has ended, whatever ended it. */
  readonly ended: Promise<void>
  /** SIGTERM, and waits for the end. */
  stop(): Promise<ControllerEnd>
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>
  signal(name: NodeJS.Signals): void
}

export type ControllerOptions = {
  /** Sections of config.yaml that differ from the guide's. */
  readonly config?: Readonly<Record<string, object>>
  readonly flags?: readonly string[]
  /** A cloud of the lab's clouds.yaml instead of the operator's variables. */
  readonly cloud?: Cloud
}

const running = new Set<ControllerProcess>()
let count = 0

/** Ends whatever still runs; cleanly, so that the next test's controller need not wait for the lease. */
export async function stopControllers(): Promise<void> {
  await Promise.all([...running].map((c) => c.stop()))
}

/** Builds dist/couchestor.js: what is tested is what is shipped. */
export async function buildController(): Promise<void> {
  await command('node_modules/.bin/node', ['tools/build.ts'])
}

/**
 * Starts the controller as the guide's Deployment does: its flags, its config.yaml pointed at the lab, a member's
 * application credential in OS_*. Resolves when it serves; its output is kept among the lab's logs.
 */
export async function startController(options: ControllerOptions = {}): Promise<ControllerProcess> {
  const name = `couchestor-${process.pid}-${++count}`
  const folder = mkdtempSync(join(tmpdir(), `${name}-`))
  const { kubeconfig, token } = await serviceAccountKubeconfig()
  writeFileSync(join(folder, 'kubeconfig'), kubeconfig, { mode: 0o600 })
  writeFileSync(join(folder, 'config.yaml'), labConfig(options.config ?? {}))
  const started = performance.now()
  const child = spawn(
    'node_modules/.bin/node',
    [
      'dist/couchestor.js',
      'controller',
      `--config=${join(folder, 'config.yaml')}`,
      '--leader-elect=true',
      '--cloud-provider=openstack',
      `--kubeconfig=${join(folder, 'kubeconfig')}`,
      '--metrics-port=0',
      '--health-port=0',
      ...(options.flags ?? []),
    ],
    { env: environment(name, folder, options.cloud), stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const kept = createWriteStream(join(theLab().state, 'logs', `${name}.log`))
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
      kept.write(text)
    })
  let end: ControllerEnd | undefined
  const ended = new Promise<void>((resolve) => {
    child.once('close', (code) => {
      end = { code, seconds: (performance.now() - started) / 1000 }
      kept.end()
      rmSync(folder, { recursive: true, force: true })
      running.delete(self)
      resolve()
    })
  })
  const lines = () =>
    output.split('\n').flatMap((line) => (line.startsWith('{') ? [parsed(line)] : []))
  const find = (msg: string) => lines().find((l) => l.msg === msg)
  const logged = (msg: string, seconds?: number) =>
    eventually(`"${msg}" in the log of ${name}`, () => Promise.resolve(find(msg)), seconds, 100)
  const stop = async (signal: NodeJS.Signals): Promise<ControllerEnd> => {
    const from = performance.now()
    child.kill(signal)
    if (signal === 'SIGKILL') child.kill('SIGCONT')
    await ended
    return { code: end?.code ?? null, seconds: (performance.now() - from) / 1000 }
  }
  const ports: Record<string, number> = {}
  const self: ControllerProcess = {
    get metricsUrl() {
      return `http://127.0.0.1:${ports['metricsPort']}/metrics`
    },
    get healthUrl() {
      return `http://127.0.0.1:${ports['healthPort']}`
    },
    token,
    text: () => output,
    lines,
    logged,
    end: () => end,
    ended,
    stop: () => stop('SIGTERM'),
    kill: async () => void (await stop('SIGKILL')),
    signal: (signal) => void child.kill(signal),
  }
  running.add(self)
  const serving = await Promise.race([
    logged('couchestor controller started'),
    ended.then(() => Promise.reject(new Error(`${name} ended at once: ${output}`))),
  ])
  Object.assign(ports, serving)
  return self
}

function parsed(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine
  } catch {
    // the last line may not be complete yet
    return { level: '', msg: '' }
  }
}

/** What a pod would have: nothing of the developer's own shell. */
function environment(name: string, home: string, as: Cloud | undefined): NodeJS.ProcessEnv {
  const { env, state } = theLab()
  const cloud = ['OS_AUTH_URL', 'OS_REGION_NAME', 'OS_APPLICATION_CREDENTIAL_ID']
  const secret = 'OS_APPLICATION_CREDENTIAL_SECRET'
  return {
    PATH: process.env['PATH'],
    HOME: home,
    POD_NAME: name,
    POD_NAMESPACE: CONTROLLER_NAMESPACE,
    ...(as === undefined
      ? Object.fromEntries([...cloud, secret].map((key) => [key, env[key] ?? '']))
      : { OS_CLOUD: as, OS_CLIENT_CONFIG_FILE: join(state, 'clouds.yaml') }),
  }
}

/** A kubeconfig with the rights of the controller's ServiceAccount, and its token. */
export async function serviceAccountKubeconfig(): Promise<{ kubeconfig: string; token: string }> {
  const args = ['create', 'token', 'couchestor', '--duration=1h']
  const token = (await kubectl(['-n', CONTROLLER_NAMESPACE, ...args])).trim()
  const view = ['config', 'view', '--minify', '--flatten', '--raw']
  const { clusters } = await kubectlJson<{ clusters: { name: string }[] }>(view)
  const kubeconfig = JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters,
    users: [{ name: 'couchestor', user: { token } }],
    contexts: [{ name: 'lab', context: { cluster: clusters[0]?.name, user: 'couchestor' } }],
    'current-context': 'lab',
  })
  return { kubeconfig, token }
}

/** The guide's config.yaml with the lab's addresses, and a short lag since the lab's Prometheus scrapes every 5 s. */
function labConfig(changes: Readonly<Record<string, object>>): string {
  const [map] = manifestsIn(GUIDE, 'couchestor-config-openstack.yaml')
  const data = map?.['data'] as Record<string, string>
  const config = load(data['config.yaml'] ?? '') as Record<string, object>
  const lab: Record<string, object> = {
    openstack: { auth_url: theLab().env['OS_AUTH_URL'] },
    prometheus: { endpoint: theLab().prometheusUrl, lag: '6s' },
  }
  for (const more of [lab, changes])
    for (const [name, section] of Object.entries(more))
      config[name] = { ...config[name], ...section }
  return dump(config)
}
