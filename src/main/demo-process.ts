import { randomUUID } from 'node:crypto'
import { runDemo } from '../cli/demo/demo.ts'
import { booleanFlag, numberFlag, readFlags } from '../cli/flags.ts'
import type { FlagSpec } from '../cli/flags.ts'
import { systemClock } from './system-clock.ts'

export const DEMO_FLAGS = {
  once: { help: 'end after the day instead of going on until Ctrl-C', default: 'false' },
  speed: {
    value: 'N',
    whole: [1, 10],
    help: 'days per minute, 1 to 10; a change of leaders takes its real seconds',
    default: '1',
  },
  port: {
    value: 'PORT',
    whole: [0, 65_535],
    help: 'port of the API server on 127.0.0.1; 0 = any free one',
    default: '0',
  },
} as const satisfies Record<string, FlagSpec>

/** `couchestor demo`. Resolves to the exit code: 0, or 1 when the demo did not keep its promises. */
export async function runDemoCommand(args: readonly string[]): Promise<number> {
  const flags = readFlags('demo', args, DEMO_FLAGS)
  const port = numberFlag(flags, 'port', 0, 65_535)
  const options = {
    once: booleanFlag(flags, 'once'),
    speed: numberFlag(flags, 'speed', 1, 10),
    port: port === 0 ? undefined : port,
  }
  const { stdout, env } = process
  const noColor = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb'
  return runDemo({
    clock: systemClock,
    random: Math.random,
    uuid: randomUUID,
    out: {
      write: (text) => void stdout.write(text),
      live: stdout.isTTY && !noColor,
      columns: stdout.columns ?? 80,
    },
    signal: interrupted(),
    options,
  })
}

/** First Ctrl-C: end cleanly. Second: end at once. */
function interrupted(): AbortSignal {
  const stop = new AbortController()
  const onSignal = () => {
    if (stop.signal.aborted) process.exit(1)
    stop.abort()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return stop.signal
}
