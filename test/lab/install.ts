import { CONTROLLER_NAMESPACE } from './controller-process.ts'
import { kubectl } from './kubectl.ts'

const KINDS = ['storagepolicies', 'volumemigrations', 'tieringcheckpoints']

/** The CRDs, the controller's namespace and its role, as the guide's readers install them. */
export async function install(role = 'deploy/rbac.yaml'): Promise<void> {
  await kubectl(['apply', '-f', 'deploy/crds/'])
  const crds = KINDS.map((kind) => `crd/${kind}.couchestor.io`)
  await kubectl(['wait', '--for=condition=Established', '--timeout=60s', ...crds])
  const namespaces = await kubectl(['get', 'namespaces', '-o', 'name'])
  if (!namespaces.includes(`namespace/${CONTROLLER_NAMESPACE}\n`))
    await kubectl(['create', 'namespace', CONTROLLER_NAMESPACE])
  await kubectl(['apply', '-f', role])
}

/** The controller's own objects, so that the next test file begins without a predecessor's lease. */
export async function removeLease(): Promise<void> {
  const lease = ['lease', 'couchestor-controller', '--ignore-not-found']
  await kubectl(['-n', CONTROLLER_NAMESPACE, 'delete', ...lease])
  await kubectl(['delete', 'tieringcheckpoint', 'moves-in-flight', '--ignore-not-found'])
}
