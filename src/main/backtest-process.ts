import { readFileSync } from 'node:fs'
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
import { booleanFlag, readFlags } from '../cli/flags.ts'
import { UserError } from '../errors.ts'
import { createHttpClient } from '../http.ts'
import { createKubeClient } from '../kube/client.ts'
import { loadKubeAccess } from '../kube/credentials.ts'
import { createLog } from '../log.ts'
import { createRegistry } from '../metrics.ts'
import { createVolumeService } from '../openstack/cinder.ts'
import { createSession } from '../openstack/session.ts'
import type { VolumeService } from '../openstack/types.ts'
import { activitySources, prometheusSource } from './activity-sources.ts'
import { openStackCredentials } from './cloud-credentials.ts'
import { systemClock } from './system-clock.ts'

/** `couchestor backtest`: real files, clients and clocks around runBacktest. Resolves to the exit code. */
export async function runBacktestCommand(args: readonly string[]): Promise<number> {
  const flags = readFlags('backtest', args, BACKTEST_FLAGS)
  booleanFlag(flags, 'guards')
  return runBacktest(flags, {
    clock: systemClock,
    readFile: readText,
    writeFile: (path, text) => writeFile(path, text),
    resolve: (beside, path) => (isAbsolute(path) ? path : join(dirname(beside), path)),
    out: process.stdout,
    terminal: process.stderr,
    config: (path) =>
      path === undefined
        ? loadConfig('defaults', () => Promise.resolve(''))
        : loadConfig(path, (p) => readFile(p, 'utf8')),
    source,
    kube,
  })
}

async function readText(path: string): Promise<string> {
  const bytes = await readFile(path)
  return (path.endsWith('.gz') ? await promisify(gunzip)(bytes) : bytes).toString('utf8')
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
    readFile: (p) => readFile(p, 'utf8'),
  })
  const session = createSession({
    ...world,
    http: createHttpClient({ ...(await credentials.tls()), connections: 4 }),
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
const kube: BacktestDeps['kube'] = async (kubeconfig) => {
  try {
    const access = await loadKubeAccess({
      kubeconfigPath: kubeconfig,
      env: process.env,
      readFile: (path) => readFileSync(path, 'utf8'),
      clock: systemClock,
    })
    return createKubeClient({
      http: createHttpClient({ ...access.tls, connections: 4 }),
      watchHttp: createHttpClient({ ...access.tls, connections: 1 }),
      server: access.server,
      authorization: access.authorization,
      clock: systemClock,
      random: Math.random,
      log: createLog('warn', process.stderr),
      metrics: createRegistry(),
    })
  } catch (e) {
    if (e instanceof UserError && e.code === 'KUBE_NOT_CONFIGURED') return undefined
    throw e
  }
}
