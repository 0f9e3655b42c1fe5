import { readFile, writeFile } from 'node:fs/promises'
import { dirname, isAbsolute, join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { attachmentsOf } from '../activity/attachments-of.ts'
import type { ActivitySource, VolumeAttachment } from '../activity/types.ts'
import { loadConfig } from '../api/config.ts'
import type { Config } from '../api/config.ts'
import { BACKTEST_FLAGS, runBacktest } from '../cli/backtest/command.ts'
import type { BacktestDeps } from '../cli/backtest/command.ts'
import { readFlags } from '../cli/flags.ts'
import { readsOnly } from '../cli/reads-only.ts'
import { UserError } from '../errors.ts'
import { textOf } from '../text-file.ts'
import { createLog } from '../log.ts'
import { createVolumeService } from '../openstack/cinder.ts'
import { createSession } from '../openstack/session.ts'
import type { VolumeService } from '../openstack/types.ts'
import { activitySources, prometheusSource } from './activity-sources.ts'
import { openStackCredentials } from './cloud-credentials.ts'
import { clusterClient } from './cluster-clients.ts'
import { CLUSTER_FLAGS } from './cluster-flags.ts'
import { systemClock } from './system-clock.ts'
import { systemHttpClient } from './system-http.ts'
import { readText } from './system-files.ts'

const { kubeconfig: _, ...CHOICE } = CLUSTER_FLAGS
export const BACKTEST_COMMAND_FLAGS = { ...BACKTEST_FLAGS, ...CHOICE }

/** `couchestor backtest`: real files, clients and clocks around runBacktest. Resolves to the exit code. */
export async function runBacktestCommand(args: readonly string[]): Promise<number> {
  const flags = readFlags('backtest', args, BACKTEST_COMMAND_FLAGS)
  return runBacktest(flags, {
    clock: systemClock,
    readFile: readMaybeZipped,
    writeFile: (path, text) => writeFile(path, text),
    resolve: (beside, path) => (isAbsolute(path) ? path : join(dirname(beside), path)),
    out: process.stdout,
    terminal: process.stderr,
    config: (path) =>
      path === undefined
        ? loadConfig('defaults', () => Promise.resolve(''))
        : loadConfig(path, readText),
    source,
    kube,
  })
}

async function readMaybeZipped(path: string): Promise<string> {
  const bytes = await readFile(path)
  return textOf(path.endsWith('.gz') ? await promisify(gunzip)(bytes) : bytes)
}

const log = createLog('warn', process.stderr)
const world = { clock: systemClock, random: Math.random, log }

const source: BacktestDeps['source'] = (name, config, volumes) =>
  name === 'Gnocchi'
    ? gnocchiSource(config)
    : prometheusSource({
        ...world,
        config,
        ...(volumes === undefined ? {} : { knownVolumes: () => volumes }),
      })

/** Where the volumes are attached is asked of Cinder; the credential is that of the environment. */
async function gnocchiSource(config: Config): Promise<ActivitySource> {
  const credentials = openStackCredentials({
    env: process.env,
    config: () => config,
    readFile: readText,
  })
  const session = createSession({
    ...world,
    http: systemHttpClient({ ...(await credentials.tls()), connections: 4 }),
    credentials: credentials.read,
  })
  const attachments = await attachmentsIn(createVolumeService({ session, log }))
  const sources = activitySources({ ...world, config, session })
  const fleet = { attachments: () => Promise.resolve(attachments), volumeIds: () => [] }
  return sources(fleet).Gnocchi
}

async function attachmentsIn(volumes: VolumeService): Promise<readonly VolumeAttachment[]> {
  const found: VolumeAttachment[] = []
  for await (const page of volumes.listVolumes()) found.push(...page.flatMap(attachmentsOf))
  return found
}

/** No cluster at all is fine; one that was named and cannot be used is not. */
const kube: BacktestDeps['kube'] = async (flags) => {
  try {
    return (await clusterClient(flags, (http) => readsOnly(http))).kube
  } catch (e) {
    const named = Object.keys(CLUSTER_FLAGS).some((name) => flags[name] !== undefined)
    if (!named && e instanceof UserError && e.code === 'KubeNotConfigured') return undefined
    throw e
  }
}
