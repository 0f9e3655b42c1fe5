import { CONTROLLER_NAMESPACE } from './controller-process.ts'
import { eventually } from './eventually.ts'
import { kubectl } from './kubectl.ts'

const KINDS = ['storagepolicies', 'volumemigrations', 'tieringcheckpoints']

/** The CRDs, the controller's namespace and its role, as the guide's readers install them. They stay: other tests use them too. */
export async function install(role = 'deploy/rbac.yaml'): Promise<void> {
  await kubectl(['apply', '-f', 'deploy/crds/'])
  const crds = KINDS.map((kind) => `crd/${kind}.couchestor.io`)
  await kubectl(['wait', '--for=condition=Established', '--timeout=110s', ...crds])
  // established is a moment before listed, and kubectl looks for a kind in the list
  await eventually('the API server lists our kinds', () =>
    kubectl(['get', KINDS.join(), '-A']).then(() => true),
  )
  const namespaces = await kubectl(['get', 'namespaces', '-o', 'name'])
  if (!namespaces.includes(`namespace/${CONTROLLER_NAMESPACE}\n`))
    await kubectl(['create', 'namespace', CONTROLLER_NAMESPACE])
  await kubectl(['apply', '-f', role])
  // of a run that was cut short; a Lease stays, since without one the first controller waits for a possible other
  await kubectl(['delete', 'tieringcheckpoint', 'moves-in-flight', '--ignore-not-found'])
}
