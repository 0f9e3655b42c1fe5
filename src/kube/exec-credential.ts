import { spawn } from 'node:child_process'
import * as z from 'zod'
import type { Clock } from '../clock.ts'
import { messageOf, UserError } from '../errors.ts'
import { rfc3339 } from '../time.ts'
import type { ExecConfig } from './kubeconfig-entries.ts'
import type { Chosen } from './kubeconfig-files.ts'
import { redact } from './redact.ts'

/** What a credential plugin of the kubeconfig gives: a token, a client certificate, or both. */
export type ExecCredential = {
  readonly token?: string
  readonly cert?: string
  readonly key?: string
  /** ms since the epoch; Infinity where the plugin names no end. */
  readonly expires: number
}

export type ExecDeps = {
  readonly clock: Clock
  readonly env: Readonly<Record<string, string | undefined>>
  /** A person sits before a terminal, whom the command may ask. */
  readonly interactive: boolean
}

/** A login in the browser takes a person a while. */
const LONGEST_MS = 180_000
const LONGEST_SAID = 200
const DEFAULT_API = 'client.authentication.k8s.io/v1'

/**
 * Runs the command of `users[].user.exec` as kubectl does, and keeps its answer until it expires. `refresh` runs it
 * again: the server refused the last one. Callers at the same time share one run.
 */
export function execCredential(
  exec: ExecConfig,
  chosen: Pick<Chosen, 'cluster' | 'userName'>,
  deps: ExecDeps,
): (refresh: boolean) => Promise<ExecCredential> {
  let last: ExecCredential | undefined
  let running: Promise<ExecCredential> | undefined
  const run = async () => {
    last = await answerOf(exec, chosen, deps)
    return last
  }
  return (refresh) => {
    if (!refresh && last !== undefined && deps.clock.now() < last.expires)
      return Promise.resolve(last)
    running ??= run().finally(() => {
      running = undefined
    })
    return running
  }
}

type Failed = (why: string, fix?: string, cause?: unknown) => UserError

async function answerOf(
  exec: ExecConfig,
  { cluster, userName }: Pick<Chosen, 'cluster' | 'userName'>,
  deps: ExecDeps,
): Promise<ExecCredential> {
  const failed: Failed = (why, fix, cause) =>
    new UserError(
      'KubeExecFailed',
      `the credential command "${exec.command}" of user "${userName}" failed: ${why}`,
      { fix, cause },
    )
  if (exec.interactiveMode === 'Always' && !deps.interactive)
    throw failed('it wants a terminal (interactiveMode: Always), and there is none', 'run it there')
  const apiVersion = exec.apiVersion || DEFAULT_API
  const interactive = deps.interactive && exec.interactiveMode !== 'Never'
  const info = JSON.stringify({
    kind: 'ExecCredential',
    apiVersion,
    spec: { interactive, ...(exec.provideClusterInfo === true && { cluster: infoOf(cluster) }) },
  })
  const own = Object.fromEntries((exec.env ?? []).map((e) => [e.name, String(e.value ?? '')]))
  const env = { ...deps.env, ...own, KUBERNETES_EXEC_INFO: info }
  let ended: Ended
  try {
    ended = await run(exec, env, interactive, deps.clock)
  } catch (e) {
    const missing = (e as { code?: unknown }).code === 'ENOENT'
    const hint = oneLine(exec.installHint ?? '')
    if (!missing) throw failed(messageOf(e), undefined, e)
    throw failed('it is not installed', hint || 'install it, or use another context', e)
  }
  if (ended.code !== 0) {
    const said = redact(ended.stderr.trim().split('\n')[0] ?? '').slice(0, LONGEST_SAID)
    const how = ended.code === null ? 'it was killed' : `exit code ${ended.code}`
    throw failed(said === '' ? how : said, 'run it by hand to see more')
  }
  return credentialOf(ended.stdout, failed)
}

/** As `spec.cluster`, for plugins that ask for it. */
function infoOf(cluster: Chosen['cluster']): object {
  const own = cluster.extensions?.find((e) => e.name === 'client.authentication.k8s.io/exec')
  return {
    server: cluster.server,
    ...pick(cluster, 'tls-server-name'),
    ...pick(cluster, 'insecure-skip-tls-verify'),
    ...pick(cluster, 'certificate-authority-data'),
    ...pick(cluster, 'proxy-url'),
    ...(own !== undefined && { config: own.extension }),
  }
}

function pick<T extends object, K extends keyof T>(from: T, key: K): Partial<T> {
  return from[key] === undefined ? {} : ({ [key]: from[key] } as unknown as Partial<T>)
}

type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

function run(
  exec: ExecConfig,
  env: Readonly<Record<string, string | undefined>>,
  interactive: boolean,
  clock: Clock,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(exec.command, (exec.args ?? []).map(String), {
      env,
      // a person must see what the command asks
      stdio: [interactive ? 'inherit' : 'ignore', 'pipe', interactive ? 'inherit' : 'pipe'],
    })
    // what it has started itself may live on and hold the pipes open
    const timer = clock.setTimer(LONGEST_MS, () => {
      child.kill('SIGKILL')
      for (const pipe of [child.stdout, child.stderr]) pipe?.destroy()
      reject(new Error(`it gave no answer within ${LONGEST_MS / 60_000} minutes`))
    })
    let stdout = ''
    let stderr = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.once('error', (e) => {
      timer.cancel()
      reject(e)
    })
    child.once('close', (code) => {
      timer.cancel()
      resolve({ code, stdout, stderr })
    })
  })
}

const Printed = z.string().nullish()
const Answer = z.object({
  status: z.object({
    token: Printed,
    clientCertificateData: Printed,
    clientKeyData: Printed,
    expirationTimestamp: Printed,
  }),
})

function credentialOf(text: string, failed: Failed): ExecCredential {
  let printed: unknown
  try {
    printed = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch {
    throw failed('what it prints is not JSON', 'let it print an ExecCredential')
  }
  const status = Answer.safeParse(printed).data?.status
  const { token, clientCertificateData: cert, clientKeyData: key } = status ?? {}
  if (!token && !(cert && key))
    throw failed('what it prints has neither status.token nor a client certificate with its key')
  const ends = status?.expirationTimestamp || undefined
  const expires = ends === undefined ? Infinity : rfc3339(ends)
  if (expires === undefined)
    throw failed('its status.expirationTimestamp is no time such as 2026-01-31T12:00:00Z')
  return { ...(token && { token }), ...(cert && key && { cert, key }), expires }
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}
