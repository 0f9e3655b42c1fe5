import type { Api } from './api.ts'
import { ApiError } from './api.ts'
import { seconds } from './container.ts'

// only pods that this kubelet can run may be scheduled here: test/lab/etc/kubelet.yaml lets them tolerate it
const TAINT = { key: 'couchestor.io/lab-kubelet', effect: 'NoSchedule' }

/** Makes the Node where there is none, and says that it is ready. `ip` is that of its own network namespace. */
export async function registerNode(
  api: Api,
  name: string,
  ip: string,
  logPort: number,
): Promise<void> {
  const path = `/api/v1/nodes/${name}`
  const labels = { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' }
  try {
    await api.get(path)
  } catch (e) {
    if (!(e instanceof ApiError && e.status === 404)) throw e
    await api.create('/api/v1/nodes', {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels },
    })
  }
  // in place of "not ready", which a node has from its birth
  await api.patch(path, { metadata: { labels }, spec: { taints: [TAINT] } })
  const room = { cpu: '8', memory: '8Gi', pods: '50', 'ephemeral-storage': '8Gi' }
  const now = seconds(new Date())
  await api.patch(`${path}/status`, {
    status: {
      capacity: room,
      allocatable: room,
      // the API server looks for logs at the first of these: on the machine, not in the node's namespace
      addresses: [
        { type: 'Hostname', address: '127.0.0.1' },
        { type: 'InternalIP', address: ip },
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: logPort } },
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'KubeletReady',
          message: "the lab's kubelet runs our images as processes",
          lastHeartbeatTime: now,
          lastTransitionTime: now,
        },
      ],
    },
  })
}
