import { GUIDE } from '../crds/manifests.ts'
import { theLab } from '../lab/env.ts'
import { apply, kubectl } from '../lab/kubectl.ts'
import { NAMESPACE } from '../chart/helm.ts'

const FILES = [
  'rbac',
  'couchestor-config-openstack',
  'couchestor-deployment-openstack',
  'couchestor-agent-openstack',
  'storage-policy-openstack',
].map((name) => `${GUIDE}/${name}.yaml`)

/** The CRDs, a Secret and the guide's manifests, unchanged; ends when both controllers are ready. */
export async function installTheGuide(): Promise<void> {
  const { env } = theLab()
  await kubectl(['apply', '-f', 'deploy/crds/'])
  await kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s'])
  await kubectl(['create', 'namespace', NAMESPACE])
  const keys = [
    'AUTH_URL',
    'REGION_NAME',
    'APPLICATION_CREDENTIAL_ID',
    'APPLICATION_CREDENTIAL_SECRET',
  ]
  await apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'openstack-credentials', namespace: NAMESPACE },
    stringData: Object.fromEntries(keys.map((key) => [`OS_${key}`, env[`OS_${key}`] ?? ''])),
  })
  await kubectl(['apply', ...FILES.flatMap((file) => ['-f', file])])
  const rollout = ['rollout', 'status', 'deployment/couchestor-controller', '--timeout=110s']
  await kubectl(['-n', NAMESPACE, ...rollout])
}

/** A claim in the namespace that kubectl takes by itself, bound; managed by `policy` if one is named. Gives its volume's id. */
export async function makeClaim(name: string, policy?: string): Promise<string> {
  await apply({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, ...(policy && { annotations: { 'couchestor.io/policy': policy } }) },
    spec: {
      storageClassName: 'couchestor-hot',
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
    },
  })
  await kubectl(['wait', '--for=jsonpath={.status.phase}=Bound', `pvc/${name}`, '--timeout=110s'])
  const volume = ['-o', 'jsonpath={.spec.volumeName}']
  const pv = await kubectl(['get', 'pvc', name, ...volume])
  return kubectl(['get', 'pv', pv, '-o', 'jsonpath={.spec.csi.volumeHandle}'])
}
