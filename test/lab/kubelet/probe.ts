import { createConnection } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { command } from '../command.ts'
import type { ContainerSpec, ProbeSpec } from './types.ts'

// each probe asks again, and nobody signed the pod's certificate
const dispatcher = new Agent({ pipelining: 0, connect: { rejectUnauthorized: false } })

/** Where a probe goes: the pod's address and the process id of the container. */
export type Target = { readonly ip: string; readonly pid: () => number | undefined }

/**
 * Asks until `signal` ends it, and calls `change` with each new verdict: true after successThreshold good answers, false
 * after failureThreshold bad ones.
 */
export async function watchProbe(
  container: ContainerSpec,
  probe: ProbeSpec,
  target: Target,
  signal: AbortSignal,
  change: (good: boolean, why: string) => void,
): Promise<void> {
  let verdict: boolean | undefined
  let row = { good: true, count: 0 }
  const wait = (seconds: number) => sleep(seconds * 1000, undefined, { signal }).catch(() => {})
  await wait(probe.initialDelaySeconds ?? 0)
  while (!signal.aborted) {
    const why = await problem(container, probe, target)
    if (signal.aborted) return
    const good = why === undefined
    row = { good, count: row.good === good ? row.count + 1 : 1 }
    const enough = good ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3)
    if (row.count >= enough && verdict !== good) {
      verdict = good
      change(good, why ?? '')
    }
    await wait(probe.periodSeconds ?? 10)
  }
}

/** undefined when the answer is good. */
async function problem(
  container: ContainerSpec,
  probe: ProbeSpec,
  target: Target,
): Promise<string | undefined> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000
  const port = (of: number | string): number =>
    typeof of === 'number' ? of : (container.ports?.find((p) => p.name === of)?.containerPort ?? 0)
  try {
    if (probe.httpGet) {
      const { path = '/', scheme = 'HTTP', httpHeaders = [] } = probe.httpGet
      const url = `${scheme.toLowerCase()}://${target.ip}:${port(probe.httpGet.port)}${path}`
      const headers = Object.fromEntries(httpHeaders.map((h) => [h.name, h.value]))
      const signal = AbortSignal.timeout(timeoutMs)
      const res = await request(url, { dispatcher, headers, signal })
      await res.body.dump()
      return res.statusCode < 400
        ? undefined
        : `HTTP probe failed with statuscode: ${res.statusCode}`
    }
    if (probe.tcpSocket) await connected(target.ip, port(probe.tcpSocket.port), timeoutMs)
    if (probe.exec) {
      const inside = ['-t', String(target.pid()), '-m', '-n', '-p', '-r', '-w', '--']
      await command('nsenter', [...inside, ...probe.exec.command], { timeoutMs })
    }
    return undefined
  } catch (e) {
    return e instanceof Error ? e.message : String(e)
  }
}

function connected(host: string, port: number, timeout: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port, timeout })
    socket.once('connect', () => (socket.destroy(), resolve()))
    socket.once('error', reject)
    socket.once('timeout', () => (socket.destroy(), reject(new Error('timeout'))))
  })
}
