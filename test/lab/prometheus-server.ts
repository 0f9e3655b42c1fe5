import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { command } from './command.ts'
import { theLab } from './env.ts'
import { eventually } from './eventually.ts'
import { openMetrics } from './prometheus.ts'
import type { History } from './prometheus.ts'

/** The Prometheus programs there are: Debian's 2.x, and the 3.x that the lab builds. */
export const PROMETHEUS = [
  { version: '2', server: 'prometheus', tool: 'promtool' },
  { version: '3', server: 'prometheus3', tool: 'promtool3' },
] as const

export type PrometheusServer = { readonly url: string; stop(): Promise<void> }

/**
 * A real Prometheus of one's own that knows this history and nothing else: written before it starts, so that nobody waits
 * until a running server looks for new blocks, and no other test's series are there. Keeps 30 days.
 */
export async function startPrometheus(
  { server, tool }: (typeof PROMETHEUS)[number],
  series: readonly History[],
): Promise<PrometheusServer> {
  const folder = mkdtempSync(join(tmpdir(), 'couchestor-prometheus-'))
  const file = (name: string) => join(folder, name)
  const { env } = theLab()
  writeFileSync(file('history.om'), openMetrics(series))
  // the tool reads the whole file once for each block
  const blocks = [
    'tsdb',
    'create-blocks-from',
    '--max-block-duration=240h',
    'openmetrics',
    '--quiet',
  ]
  await command(tool, [...blocks, file('history.om'), file('data')], { env })
  rmSync(file('history.om'))
  writeFileSync(file('prometheus.yml'), 'global: {}\n')
  const address = `127.0.0.1:${await freePort()}`
  const log = openSync(file('log'), 'w')
  const args = [
    `--config.file=${file('prometheus.yml')}`,
    `--storage.tsdb.path=${file('data')}`,
    '--storage.tsdb.retention.time=30d',
    `--web.listen-address=${address}`,
  ]
  const child = spawn(server, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  const stop = async (): Promise<void> => {
    child.kill()
    await ended
    rmSync(folder, { recursive: true })
  }
  try {
    const ready = async () => (await fetch(`http://${address}/-/ready`)).ok
    await eventually(`${server} is ready`, ready, 120, 100)
  } catch (e) {
    const why = readFileSync(file('log'), 'utf8').slice(-1000)
    await stop()
    throw new Error(`${server} did not start: ${why}`, { cause: e })
  }
  return { url: `http://${address}`, stop }
}

/**
 * A port that nobody listens on, below those that the kernel gives away: of these another connection could get it before
 * the server does. Nor does the lab use one from 20,000 to 25,000.
 */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 25_000)
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
