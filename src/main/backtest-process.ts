import { readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { dirname, isAbsolute, join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { createPrometheusSource } from '../activity/prometheus/source.ts'
import { loadConfig } from '../api/config.ts'
import { BACKTEST_FLAGS, runBacktest } from '../cli/backtest/command.ts'
import type { BacktestDeps } from '../cli/backtest/command.ts'
import { booleanFlag, readFlags } from '../cli/flags.ts'
import { UserError } from '../errors.ts'
import { createHttpClient } from '../http.ts'
import { createKubeClient } from '../kube/client.ts'
import { loadKubeAccess } from '../kube/credentials.ts'
import { createLog } from '../log.ts'
import { createRegistry } from '../metrics.ts'
import { prometheusSourceConfig, prometheusTls } from './prometheus-config.ts'
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

const source: BacktestDeps['source'] = (config, knownVolumes) =>
  createPrometheusSource({
    http: createHttpClient({ ...prometheusTls(config), connections: 4 }),
    config: prometheusSourceConfig(config),
    clock: systemClock,
    random: Math.random,
    log: createLog('warn', process.stderr),
    ...(knownVolumes === undefined ? {} : { knownVolumes }),
  })

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
