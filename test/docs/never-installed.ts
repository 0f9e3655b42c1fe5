import { readdirSync } from 'node:fs'
import { helm, NAMESPACE, RELEASE } from '../chart/helm.ts'
import { GUIDE } from '../crds/manifests.ts'
import { kubectl } from '../lab/kubectl.ts'

const CRDS = ['storagepolicies', 'volumemigrations', 'tieringcheckpoints'].map(
  (kind) => `${kind}.couchestor.io`,
)
const GUIDE_FILES = [
  'couchestor-deployment-openstack',
  'couchestor-agent-openstack',
  'ceilometer-exporter',
  'rbac',
].map((name) => `${GUIDE}/${name}.yaml`)

/** Makes the cluster one that has never seen us: whatever a reader, or the tests before, have installed is gone. */
export async function neverInstalled(): Promise<void> {
  await helm(['uninstall', RELEASE, '--namespace', NAMESPACE, '--ignore-not-found', '--wait'])
  const ours = readdirSync('deploy')
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => `deploy/${file}`)
  const files = [...ours, ...GUIDE_FILES].flatMap((file) => ['-f', file])
  const remove = (...what: string[]) =>
    kubectl(['delete', '--ignore-not-found', '--timeout=120s', ...what], { timeoutMs: 300_000 })
  await remove(...files)
  await remove('crd', ...CRDS)
  await remove('namespace', NAMESPACE)
}
