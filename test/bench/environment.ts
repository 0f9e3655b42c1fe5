import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SimUrls } from './sim-process.ts'

/** What a controller needs to log in to the simulated cloud. */
export function openStackEnv({ identity, operator }: SimUrls): Record<string, string> {
  return {
    OS_AUTH_URL: `${identity}/v3`,
    OS_APPLICATION_CREDENTIAL_ID: operator.id,
    OS_APPLICATION_CREDENTIAL_SECRET: operator.secret,
    OS_REGION_NAME: 'RegionOne',
  }
}

/** A directory with config.yaml and kubeconfig for a controller of its own process. */
export function writeConfigs({ kube, prometheus }: SimUrls): {
  config: string
  kubeconfig: string
} {
  const dir = mkdtempSync(join(tmpdir(), 'couchestor-bench-'))
  const config = join(dir, 'config.yaml')
  const kubeconfig = join(dir, 'kubeconfig')
  writeFileSync(
    config,
    `prometheus:\n  endpoint: ${prometheus}\nmigration:\n  concurrent_migrations: 100\n`,
  )
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'bench',
      clusters: [{ name: 'bench', cluster: { server: kube } }],
      users: [{ name: 'bench', user: {} }],
      contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
    }),
  )
  return { config, kubeconfig }
}
