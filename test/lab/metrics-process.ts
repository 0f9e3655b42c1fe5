import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { command } from './command.ts'
import { theLab } from './env.ts'
import { eventually } from './eventually.ts'

/** A bundled program that serves metrics, as a process of its own. */
export interface MetricsProcess {
  /** "127.0.0.1:40123" */
  readonly address: string
  scrape(): Promise<string>
  /** Everything it has written. */
  text(): string
  /** Sends the signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals | null>
}

const NODE = 'node_modules/.bin/node'
const running = new Set<MetricsProcess>()
const folders = new Set<string>()

/** Ends whatever still runs, and removes what was built for it. */
export async function stopMetricsProcesses(): Promise<void> {
  await Promise.all([...running].map((p) => p.stop()))
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
}

/** Builds the bundles as they are shipped, where no other test uses them. Gives the directory. */
export async function buildBundles(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'couchestor-bundles-'))
  folders.add(folder)
  await command(NODE, ['tools/build.ts', folder])
  return folder
}

/** Starts `couchestor <args>` on a free port, with these variables and no others; resolves when it serves. */
export async function startMetricsProcess(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<MetricsProcess> {
  const child = spawn(NODE, [join(folder, 'couchestor.js'), ...args, '--metrics-port=0'], {
    env: { PATH: theLab().env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => void (output += text))
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal))
  })
  const port = await eventually(
    `${args[0]} serves`,
    () => Promise.resolve(/"metricsPort":(\d+)\D/.exec(output)?.[1]),
    120,
    50,
  ).catch((e: unknown) => {
    child.kill('SIGKILL')
    throw new Error(`${args[0]} did not start: ${output}`, { cause: e })
  })
  const address = `127.0.0.1:${port}`
  const self: MetricsProcess = {
    address,
    scrape: async () => (await fetch(`http://${address}/metrics`)).text(),
    text: () => output,
    stop: (signal = 'SIGTERM') => {
      running.delete(self)
      child.kill(signal)
      return ended
    },
  }
  running.add(self)
  return self
}
