import { hostname } from 'node:os'
import { createAgent } from '../agent/agent.ts'
import { IGNORED_DISKS } from '../agent/disk-list.ts'
import type { ProcessFigures } from '../agent/exposition.ts'
import { sleep } from '../clock.ts'
import { numberFlag, readFlags } from '../cli/flags.ts'
import type { Flags, FlagSpec } from '../cli/flags.ts'
import { messageOf, UserError } from '../errors.ts'
import { EXPOSITION_TYPE } from '../exposition.ts'
import { createLog, LOG_LEVELS } from '../log.ts'
import { serveMetrics } from './probe-server.ts'
import { checkProvider, logLevel } from './process-flags.ts'
import { stopSignal } from './stop-signal.ts'
import { systemClock } from './system-clock.ts'
import { systemNodeFiles } from './system-node-files.ts'

export const AGENT_FLAGS = {
  'node-name': { value: 'NAME', help: 'label node; else NODE_NAME, else the host name' },
  'cloud-provider': { value: 'NAME', help: 'openstack is the only one', default: 'openstack' },
  'metrics-port': { value: 'PORT', help: 'port of /metrics and /healthz', default: '9106' },
  proc: { value: 'DIR', help: 'where /proc of the node is', default: '/proc' },
  sys: { value: 'DIR', help: 'where /sys of the node is', default: '/sys' },
  'ignored-disks': {
    value: 'REGEX',
    help: 'names in /sys/block to ignore',
    default: IGNORED_DISKS.source,
  },
  'log-level': {
    value: 'LEVEL',
    help: `${LOG_LEVELS.join(', ')}; else COUCHESTOR_LOG_LEVEL, else info`,
  },
} as const satisfies Record<string, FlagSpec>

/** Until the last line of the log is written, which another thread does. */
const WRITTEN_MS = 1000

/** `couchestor agent`: serves the counters of this node until SIGTERM. Resolves to the exit code. */
export async function runAgent(args: readonly string[]): Promise<number> {
  const flags = readFlags('agent', args, AGENT_FLAGS)
  const log = createLog(logLevel(flags))
  checkProvider(flags)
  const node = nodeName(flags)
  const port = numberFlag(flags, 'metrics-port', 0, 65_535)
  const agent = createAgent({
    files: systemNodeFiles,
    node,
    roots: { proc: flags['proc'] ?? '/proc', sys: flags['sys'] ?? '/sys' },
    ignored: ignoredDisks(flags),
    clock: systemClock,
    log,
    process: processFigures,
  })
  const stopped = stopSignal()
  const server = await serveMetrics(port, {
    '/metrics': async () => ({ status: 200, type: EXPOSITION_TYPE, body: await agent.scrape() }),
    '/healthz': () => Promise.resolve({ status: 200, body: 'ok\n' }),
  })
  log.info({ node, metricsPort: server.port }, 'couchestor agent started')
  const signal = await stopped
  await server.close()
  const hangingReads = await agent.hangingReads()
  log.info({ signal, hangingReads }, 'couchestor agent ended')
  if (hangingReads === 0) return 0
  // Node.js waits at its end for the threads that read files; one that hangs would keep the process for ever
  await sleep(systemClock, WRITTEN_MS)
  process.kill(process.pid, 'SIGKILL')
  return 0
}

function processFigures(): ProcessFigures {
  const { user, system } = process.cpuUsage()
  return {
    residentBytes: process.memoryUsage.rss(),
    cpuSeconds: (user + system) / 1e6,
    startSeconds: performance.timeOrigin / 1000,
  }
}

function ignoredDisks(flags: Flags): RegExp {
  const text = flags['ignored-disks'] ?? ''
  try {
    return new RegExp(text)
  } catch (e) {
    throw new UserError(
      'FlagsInvalid',
      `--ignored-disks: "${text}" is no regular expression (${messageOf(e)})`,
      { fix: 'give one like "^(loop|dm-)"', cause: e },
    )
  }
}

/** Kubernetes passes `$(NODE_NAME)` as it stands when the variable is not defined. */
function nodeName(flags: Flags): string {
  const name = flags['node-name'] ?? (process.env['NODE_NAME'] || hostname())
  if (/^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/.test(name)) return name
  throw new UserError('FlagsInvalid', `--node-name: "${name}" is no node name`, {
    fix: 'set NODE_NAME from spec.nodeName in the pod',
  })
}
