import { mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Api } from './api.ts'
import { imageOf } from './image.ts'
import { serveLogs } from './log-server.ts'
import { addNetwork, closeNetwork, openNetwork } from './network.ts'
import type { Network } from './network.ts'
import { rulesOf } from './network-policy.ts'
import type { NetworkPolicy, Surroundings } from './network-policy.ts'
import { registerNode } from './nodes.ts'
import { PodWorker } from './pod-worker.ts'
import type { Metadata, Pod } from './types.ts'

// The lab's kubelet: runs pods of this project's images, and no others, as processes of this machine. It is what lets
// `helm --wait`, `kubectl rollout status` and `kubectl logs` be tried without a container engine.

const { values: flags } = parseArgs({
  options: {
    kubeconfig: { type: 'string' },
    folder: { type: 'string' },
    nodes: { type: 'string' },
    bundle: { type: 'string' },
    'log-port': { type: 'string' },
    'tls-cert': { type: 'string' },
    'tls-key': { type: 'string' },
  },
})
const flag = (name: keyof typeof flags): string => {
  const value = flags[name]
  if (value === undefined) throw new Error(`--${name} is missing`)
  return value
}

const say = (text: string): void =>
  void process.stdout.write(`${new Date().toISOString()} ${text}\n`)
const folder = flag('folder')
const bundle = resolve(flag('bundle'))
const logPort = Number(flag('log-port'))
const api = new Api(flag('kubeconfig'))
const stopping = new AbortController()
for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stopping.abort())

// what an earlier kubelet had is started again
rmSync(join(folder, 'pods'), { recursive: true, force: true })
for (const name of ['pods', 'logs', 'images']) mkdirSync(join(folder, name), { recursive: true })
await openNetwork()
const nodes = new Map<string, Network>()
for (const name of flag('nodes').split(',')) {
  const network = await addNetwork(name)
  nodes.set(name, network)
  await registerNode(api, name, network.ip, logPort)
}
const logs = await serveLogs(folder, logPort, { cert: flag('tls-cert'), key: flag('tls-key') })
say(`ready: ${[...nodes.keys()].join(', ')}`)

const workers = new Map<string, PodWorker>()
const busy = new Set<string>()
let around: Surroundings = { policies: [], namespaces: new Map(), pods: [] }
const image = (name: string) => imageOf(name, bundle, join(folder, 'images'))

while (!stopping.signal.aborted) {
  await pass().catch((e: unknown) => say(String(e)))
  await sleep(1000, undefined, { signal: stopping.signal }).catch(() => {})
}
await Promise.all([...workers.values()].map((w) => w.stop(4)))
logs.closeAllConnections()
logs.close()
await closeNetwork()
process.exit(0)

/** One pass over all pods: a step for each of ours, and the end for those that are gone. */
async function pass(): Promise<void> {
  const pods = await api.list<Pod>('/api/v1/pods')
  around = { pods, ...(await policies()) }
  const ours = pods.filter(
    ({ spec }) => nodes.has(spec.nodeName ?? '') && spec.containers.some((c) => image(c.image)),
  )
  for (const pod of ours) step(pod)
  const uids = new Set(ours.map((p) => p.metadata.uid))
  for (const [uid, worker] of workers)
    if (!uids.has(uid)) {
      workers.delete(uid)
      // deleted by force: nobody waits for it any more
      void worker.stop(2).catch((e: unknown) => say(String(e)))
    }
}

/** NetworkPolicies, and the namespaces' labels when somebody may ask for them. */
async function policies(): Promise<Omit<Surroundings, 'pods'>> {
  const all = await api.list<NetworkPolicy>('/apis/networking.k8s.io/v1/networkpolicies')
  const namespaces =
    all.length === 0 ? [] : await api.list<{ metadata: Metadata }>('/api/v1/namespaces')
  const labels = namespaces.map(({ metadata }) => [metadata.name, metadata.labels ?? {}] as const)
  return { policies: all, namespaces: new Map(labels) }
}

function step(pod: Pod): void {
  const { uid, namespace, name } = pod.metadata
  const over = ['Succeeded', 'Failed'].includes(pod.status?.phase ?? '')
  if (over && pod.metadata.deletionTimestamp === undefined && !workers.has(uid)) return
  if (busy.has(uid)) return
  let worker = workers.get(uid)
  if (worker === undefined) {
    worker = new PodWorker(pod, {
      api,
      folder,
      node: process.execPath,
      hostNetwork: nodes.get(pod.spec.nodeName ?? '')!,
      imageOf: image,
      rulesOf: (now) => rulesOf(now, around),
      warn: (message) => say(`${namespace}/${name}: ${message}`),
    })
    workers.set(uid, worker)
    say(`${namespace}/${name} on ${pod.spec.nodeName}`)
  }
  busy.add(uid)
  void worker
    .sync(pod)
    .catch((e: unknown) => say(`${namespace}/${name}: ${String(e)}`))
    .finally(() => busy.delete(uid))
}
