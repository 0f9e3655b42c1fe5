import { spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { command } from './command.ts'
import { theLab } from './env.ts'
import { eventually } from './eventually.ts'

/** The bundled agent as a process of its own. */
export interface AgentProcess {
  /** "127.0.0.1:40123" */
  readonly address: string
  scrape(): Promise<string>
  /** Everything it has written. */
  text(): string
  /** Sends the signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals | null>
}

const NODE = 'node_modules/.bin/node'
const running = new Set<AgentProcess>()

/** Ends whatever still runs. */
export async function stopAgents(): Promise<void> {
  await Promise.all([...running].map((a) => a.stop()))
}

/** Builds the bundles as they are shipped, where no other test uses them. Gives the directory. */
export async function buildAgent(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'couchestor-agent-'))
  await command(NODE, ['test/tools/build.ts', folder])
  return folder
}

/** Starts `couchestor agent` with these flags, on a free port; resolves when it serves. */
export async function startAgent(folder: string, flags: readonly string[]): Promise<AgentProcess> {
  const args = [join(folder, 'couchestor.js'), 'agent', '--metrics-port=0', ...flags]
  const child = spawn(NODE, args, {
    env: { PATH: theLab().env['PATH'] },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => void (output += text))
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal))
  })
  const port = await eventually(
    'the agent serves',
    () => Promise.resolve(/"metricsPort":(\d+)/.exec(output)?.[1]),
    20,
    50,
  )
  const address = `127.0.0.1:${port}`
  const self: AgentProcess = {
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
