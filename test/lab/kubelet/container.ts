import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { NotYet } from './objects.ts'
import { watchProbe } from './probe.ts'
import type { ContainerSpec, ContainerState, ContainerStatus, ProbeSpec } from './types.ts'

const SCRIPT = fileURLToPath(new URL('container.sh', import.meta.url))
// a kubelet begins with 10 s and ends with 300: tests that wait for a restart should not
const BACKOFF_MS = { first: 1000, most: 30_000 }

/** All that `container.sh` is given. */
export type Launch = {
  readonly namespace: string
  readonly hostPID: boolean
  readonly env: Readonly<Record<string, string>>
  /** root, node, bundle, mounts, user, group, read-only, privileged, hostname, command ... */
  readonly args: readonly string[]
}

export type ContainerOptions = {
  readonly spec: ContainerSpec
  readonly restart: 'Always' | 'OnFailure' | 'Never'
  readonly ip: string
  /** The last output; that of the run before is beside it, with ".previous". */
  readonly logFile: string
  /** Of the containers that an earlier kubelet ran for this pod. */
  readonly restartCount: number
  /** Asked before each start, since Secrets change. Throws NotYet. */
  readonly launch: () => Promise<Launch>
  readonly event: (reason: string, message: string) => void
}

/** One container of a pod: started, probed, restarted with growing pauses, stopped. */
export class Container {
  readonly #options: ContainerOptions
  readonly #stopping = new AbortController()
  readonly #ended: Promise<void>
  #child: ChildProcess | undefined
  #state: ContainerState = { waiting: { reason: 'ContainerCreating' } }
  #lastState: ContainerState = {}
  #restarts: number
  #ready = false
  #started = false

  constructor(options: ContainerOptions) {
    this.#options = options
    this.#restarts = options.restartCount
    this.#ended = this.#live()
  }

  get status(): ContainerStatus {
    const { name, image } = this.#options.spec
    return {
      name,
      image,
      imageID: image,
      containerID: `lab://${name}-${this.#restarts}`,
      ready: this.#ready,
      started: this.#started,
      restartCount: this.#restarts,
      state: this.#state,
      lastState: this.#lastState,
    }
  }

  /** When it will not run again. */
  get ended(): Promise<void> {
    return this.#ended
  }

  /** SIGTERM, and SIGKILL after the grace. */
  async stop(graceSeconds: number): Promise<void> {
    this.#stopping.abort()
    this.#ready = false
    this.#signal('SIGTERM')
    const late = new AbortController()
    const kill = sleep(graceSeconds * 1000, undefined, { signal: late.signal }).then(
      () => this.#signal('SIGKILL'),
      () => {},
    )
    await this.#ended
    late.abort()
    await kill
  }

  async #live(): Promise<void> {
    const { restart, event } = this.#options
    const { signal } = this.#stopping
    for (let pause = BACKOFF_MS.first; !signal.aborted;) {
      const from = Date.now()
      let code: number
      try {
        const launch = await this.#options.launch()
        if (signal.aborted) break
        code = await this.#run(launch)
      } catch (e) {
        const reason = e instanceof NotYet ? e.reason : 'RunContainerError'
        this.#state = { waiting: { reason, message: e instanceof Error ? e.message : String(e) } }
        await sleep(1000, undefined, { signal }).catch(() => {})
        continue
      }
      if (signal.aborted || restart === 'Never' || (restart === 'OnFailure' && code === 0)) return
      // what ran for a while has earned a quick restart
      if (Date.now() - from > 60_000) pause = BACKOFF_MS.first
      this.#lastState = this.#state
      const message = `back-off ${pause / 1000}s restarting failed container`
      this.#state = { waiting: { reason: 'CrashLoopBackOff', message } }
      event('BackOff', `Back-off restarting failed container ${this.#options.spec.name}`)
      await sleep(pause, undefined, { signal }).catch(() => {})
      if (signal.aborted) {
        this.#state = this.#lastState
        return
      }
      this.#restarts += 1
      pause = Math.min(pause * 2, BACKOFF_MS.most)
    }
    // it never ran
    if (this.#state.terminated === undefined) this.#state = terminated(137, new Date())
  }

  /** One run, to its exit code. */
  async #run(launch: Launch): Promise<number> {
    const { logFile } = this.#options
    mkdirSync(dirname(logFile), { recursive: true })
    if (existsSync(logFile)) renameSync(logFile, `${logFile}.previous`)
    const log = openSync(logFile, 'a')
    const pid = launch.hostPID ? [] : ['--pid']
    const namespaces = [
      `--net=/run/netns/${launch.namespace}`,
      '--',
      '/usr/bin/unshare',
      '--mount',
      '--uts',
      ...pid,
    ]
    const child = spawn(
      '/usr/bin/nsenter',
      [...namespaces, '--fork', '--kill-child', '/bin/bash', SCRIPT, ...launch.args],
      { env: launch.env, stdio: ['ignore', log, log] },
    )
    closeSync(log)
    this.#child = child
    const startedAt = new Date()
    this.#state = { running: { startedAt: seconds(startedAt) } }
    const probes = new AbortController()
    this.#probe(probes.signal)
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 143)))
    }).finally(() => probes.abort())
    this.#child = undefined
    this.#ready = false
    this.#started = false
    this.#state = terminated(code, startedAt)
    return code
  }

  #probe(signal: AbortSignal): void {
    const { spec, ip, event } = this.#options
    const { startupProbe, readinessProbe, livenessProbe } = spec
    const target = { ip, pid: () => this.#pid() }
    const watch = (probe: ProbeSpec, change: (good: boolean, why: string) => void): void =>
      void watchProbe(spec, probe, target, signal, change)
    const unhealthy = (kind: string, why: string): void => {
      event('Unhealthy', `${kind} probe failed: ${why}`)
    }
    const started = (): void => {
      this.#started = true
      if (readinessProbe === undefined) this.#ready = true
      else
        watch(readinessProbe, (good, why) => {
          this.#ready = good && !this.#stopping.signal.aborted
          if (!good) unhealthy('Readiness', why)
        })
      if (livenessProbe)
        watch(livenessProbe, (good, why) => {
          if (good) return
          unhealthy('Liveness', why)
          this.#end()
        })
    }
    if (startupProbe === undefined) return started()
    watch(startupProbe, (good, why) => {
      if (good && !this.#started) started()
      if (good) return
      unhealthy('Startup', why)
      this.#end()
    })
  }

  /** As a failed probe ends it; the loop starts it again. */
  #end(): void {
    const child = this.#child
    this.#signal('SIGTERM')
    setTimeout(() => {
      if (this.#child === child) this.#signal('SIGKILL')
    }, 10_000).unref()
  }

  /** The container's first process: the child of `unshare`. */
  #pid(): number | undefined {
    const { pid } = this.#child ?? {}
    if (pid === undefined) return undefined
    try {
      return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')[0])
    } catch {
      return undefined
    }
  }

  #signal(name: NodeJS.Signals): void {
    const pid = this.#pid()
    if (pid === undefined || pid === 0) return
    try {
      process.kill(pid, name)
    } catch {
      // it has just ended
    }
  }
}

function terminated(exitCode: number, startedAt: Date): ContainerState {
  const reason = exitCode === 0 ? 'Completed' : 'Error'
  const times = { startedAt: seconds(startedAt), finishedAt: seconds(new Date()) }
  return { terminated: { exitCode, reason, ...times } }
}

/** metav1.Time has whole seconds. */
export function seconds(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z')
}
