import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildController, CONTROLLER_NAMESPACE } from './controller-process.ts'
import { describeLab } from './describe-lab.ts'
import { theLab } from './env.ts'
import { eventually } from './eventually.ts'
import { install } from './install.ts'
import type { Pod } from './kubelet/types.ts'
import { apply, kubectl, kubectlJson } from './kubectl.ts'

const GUIDE = 'test/crds/guide'
const NAMESPACE = 'lab-kubelet-test'
/** Less than `kubectl` itself is given. */
const WAIT = '--timeout=110s'
const IMAGE = 'ghcr.io/abiolaogu/couchestor:latest'

const inGuide = (...args: string[]) => kubectl(['-n', CONTROLLER_NAMESPACE, ...args])
const here = (...args: string[]) => kubectl(['-n', NAMESPACE, ...args])

async function pods(namespace: string, selector: string): Promise<Pod[]> {
  const args = ['-n', namespace, 'get', 'pods', '-l', selector]
  return (await kubectlJson<{ items: Pod[] }>(args)).items
}

/** What a container of that pod wrote; it is there when the pod is gone, too. */
function output(namespace: string, pod: string, container: string): string {
  const name = `${namespace}_${pod}_${container}.log`
  return readFileSync(join(theLab().state, 'kubelet', 'logs', name), 'utf8')
}

async function holderOfLease(): Promise<string> {
  const lease = ['-n', CONTROLLER_NAMESPACE, 'get', 'lease', 'couchestor-controller']
  const { spec } = await kubectlJson<{ spec: { holderIdentity?: string } }>(lease)
  return spec.holderIdentity ?? ''
}

/** A pod of our image with what the test gives it; `app` is its label too. */
function pod(name: string, container: object, spec: object = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: NAMESPACE, labels: { app: name } },
    spec: { containers: [{ name: 'c', image: IMAGE, ...container }], ...spec },
  }
}

async function containerOf(name: string) {
  const { status } = await kubectlJson<Pod>(['-n', NAMESPACE, 'get', 'pod', name])
  return { phase: status?.phase, ...status?.containerStatuses?.[0] }
}

describeLab('the kubelet of the lab', () => {
  beforeAll(async () => {
    await buildController()
    await install(`${GUIDE}/rbac.yaml`)
    await kubectl(['create', 'namespace', NAMESPACE])
  })
  afterAll(async () => {
    const options = { timeoutMs: 240_000 }
    await kubectl(['delete', 'namespace', NAMESPACE, '--ignore-not-found'], options)
  })

  describe("with the guide's manifests, unchanged", () => {
    const files = ['couchestor-config-openstack.yaml', 'couchestor-deployment-openstack.yaml']
    const selector = 'app=couchestor,component=controller'
    let names: string[]

    beforeAll(async () => {
      const credential = ['ID', 'SECRET'].map((key) => `OS_APPLICATION_CREDENTIAL_${key}`)
      const data = ['OS_AUTH_URL', 'OS_REGION_NAME', ...credential].map((key) => [
        key,
        theLab().env[key] ?? '',
      ])
      await apply({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'openstack-credentials', namespace: CONTROLLER_NAMESPACE },
        stringData: Object.fromEntries(data) as Record<string, string>,
      })
      for (const file of files) await kubectl(['apply', '-f', `${GUIDE}/${file}`])
    })
    afterAll(async () => {
      for (const file of files)
        await kubectl(['delete', '--ignore-not-found', '-f', `${GUIDE}/${file}`])
      await inGuide('delete', 'secret', 'openstack-credentials', '--ignore-not-found')
    })

    it('both replicas become available, each on a node of its own', async () => {
      await inGuide('rollout', 'status', 'deployment/couchestor-controller', WAIT)
      const running = await pods(CONTROLLER_NAMESPACE, selector)
      names = running.map((p) => p.metadata.name)
      expect(new Set(running.map((p) => p.spec.nodeName))).toEqual(
        new Set(['lab-node', 'lab-kubelet']),
      )
      expect(running.map((p) => p.status?.containerStatuses?.[0]?.restartCount)).toEqual([0, 0])
    })

    it('the API server finds what they write, and one of them leads', async () => {
      const logs = await Promise.all(names.map((name) => inGuide('logs', name)))
      for (const log of logs) expect(log).toContain('"msg":"couchestor controller started"')
      await eventually('one of the pods holds the lease', async () => {
        const holder = await holderOfLease()
        return names.some((name) => holder.startsWith(name))
      })
    })

    it('they end by themselves when their Deployment is deleted, and give the lease back', async () => {
      await inGuide('delete', 'deployment', 'couchestor-controller', '--cascade=foreground')
      expect(await pods(CONTROLLER_NAMESPACE, selector)).toEqual([])
      const logs = names.map((name) => output(CONTROLLER_NAMESPACE, name, 'controller'))
      for (const log of logs) expect(log).toContain('"end":"stopped"')
      // twice, when the one that stood by took over a moment before its own end
      expect(logs.join('')).toContain('"msg":"leadership released"')
      expect(await holderOfLease()).toBe('')
    })
  })

  it('restarts what crashes, later each time, and keeps the output of the run before', async () => {
    await apply(pod('crashing', { args: ['controller', '--config=/none/config.yaml'] }))
    const status = await eventually('a second run', async () => {
      const now = await containerOf('crashing')
      return (now.restartCount ?? 0) >= 2 && now.state?.waiting !== undefined && now
    })
    expect(status.state?.waiting?.reason).toBe('CrashLoopBackOff')
    expect(status.lastState?.terminated?.exitCode).not.toBe(0)
    expect(await here('logs', 'crashing', '--previous')).toContain('/none/config.yaml')
  })

  it('a pod that is to run once succeeds, or fails, by its exit code', async () => {
    const once = { restartPolicy: 'Never' }
    await apply(pod('good', { args: ['--help'] }, once))
    await apply(pod('bad', { args: ['--no-such-flag'] }, once))
    const wait = ['wait', WAIT]
    await here(...wait, '--for=jsonpath={.status.phase}=Succeeded', 'pod/good')
    await here(...wait, '--for=jsonpath={.status.phase}=Failed', 'pod/bad')
    expect(await here('logs', 'good')).toContain('couchestor')
  })

  it('says which Secret is missing, and goes on when it is there', async () => {
    const secretKeyRef = { name: 'late', key: 'command' }
    const env = [{ name: 'COMMAND', valueFrom: { secretKeyRef } }]
    await apply(pod('waiting', { args: ['--help', '$(COMMAND)'], env }, { restartPolicy: 'Never' }))
    const { state } = await eventually('the reason', async () => {
      const now = await containerOf('waiting')
      return now.state?.waiting?.reason === 'CreateContainerConfigError' && now
    })
    expect(state?.waiting?.message).toContain('secret "late" not found')
    await here('create', 'secret', 'generic', 'late', '--from-literal=command=plan')
    await here('wait', WAIT, '--for=jsonpath={.status.phase}=Succeeded', 'pod/waiting')
  })

  it('is a container to the process: other user, read-only root, its own files, name and token', async () => {
    const script = `
      const fs = require('node:fs'), os = require('node:os')
      const text = (f) => fs.readFileSync(f, 'utf8')
      const refused = (f) => { try { f(); return 'allowed' } catch (e) { return e.code } }
      const token = text('/var/run/secrets/kubernetes.io/serviceaccount/token').split('.')[1]
      console.log(JSON.stringify({
        uid: process.getuid(), gid: process.getgid(), pid: process.pid, host: os.hostname(),
        root: fs.readdirSync('/'), config: text('/etc/app/key'), env: process.env.KEY,
        write: refused(() => fs.writeFileSync('/x', '')), config_write: refused(() => fs.writeFileSync('/etc/app/key', '')),
        scratch: refused(() => fs.writeFileSync('/scratch/x', '')),
        bound: JSON.parse(Buffer.from(token, 'base64url'))['kubernetes.io'].pod.name,
      }))`
    await here('create', 'configmap', 'files', '--from-literal=key=value')
    const volumes = [
      { name: 'files', configMap: { name: 'files' } },
      { name: 'scratch', emptyDir: {} },
    ]
    const container = {
      command: ['/usr/local/bin/node', '-e', script],
      env: [{ name: 'KEY', valueFrom: { configMapKeyRef: { name: 'files', key: 'key' } } }],
      securityContext: { readOnlyRootFilesystem: true },
      volumeMounts: [
        { name: 'files', mountPath: '/etc/app' },
        { name: 'scratch', mountPath: '/scratch' },
      ],
    }
    const machine = hostname()
    await apply(pod('inside', container, { restartPolicy: 'Never', volumes }))
    await here('wait', WAIT, '--for=jsonpath={.status.phase}=Succeeded', 'pod/inside')
    const seen = JSON.parse(await here('logs', 'inside')) as Record<string, unknown>
    expect(seen).toMatchObject({
      uid: 65532,
      gid: 65532,
      pid: 1,
      host: 'inside',
      bound: 'inside',
      config: 'value',
      env: 'value',
      write: 'EROFS',
      config_write: 'EROFS',
      scratch: 'allowed',
    })
    expect(seen['root']).not.toContain('root')
    // components of the lab name themselves after the machine
    expect(hostname()).toBe(machine)
  })

  it('lets through what NetworkPolicies allow, to the port of the endpoint, and nothing else', async () => {
    const script = `
      const net = require('node:net')
      const reach = (port, host) => new Promise((resolve) => {
        const socket = net.connect({ port, host, timeout: 5000 })
        socket.once('connect', () => (resolve('open'), socket.destroy()))
        socket.once('timeout', () => (resolve('closed'), socket.destroy()))
        socket.once('error', (e) => resolve(e.code))
      })
      Promise.all([reach(443, '10.96.0.1'), reach(5000, '127.0.0.1')])
        .then(([api, keystone]) => console.log(JSON.stringify({ api, keystone })))`
    const command = { command: ['/usr/local/bin/node', '-e', script] }
    await apply({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'only-api', namespace: NAMESPACE },
      spec: {
        podSelector: { matchLabels: { app: 'fenced' } },
        policyTypes: ['Egress'],
        egress: [{ ports: [{ port: 6443 }], to: [{ ipBlock: { cidr: '0.0.0.0/0' } }] }],
      },
    })
    for (const name of ['fenced', 'free'])
      await apply(pod(name, command, { restartPolicy: 'Never' }))
    const seen = async (name: string) => {
      await here('wait', WAIT, '--for=jsonpath={.status.phase}=Succeeded', `pod/${name}`)
      return JSON.parse(await here('logs', name)) as unknown
    }
    expect(await seen('free')).toEqual({ api: 'open', keystone: 'open' })
    expect(await seen('fenced')).toEqual({ api: 'open', keystone: 'closed' })
  })

  it("leaves pods of others alone, on its own node and on Nova's", async () => {
    await apply(pod('foreign', { image: 'none' }, { nodeName: 'lab-kubelet' }))
    await apply(pod('ours', { args: ['--help'] }, { restartPolicy: 'Never' }))
    await here('wait', WAIT, '--for=jsonpath={.status.phase}=Succeeded', 'pod/ours')
    const foreign = await kubectlJson<Pod>(['-n', NAMESPACE, 'get', 'pod', 'foreign'])
    expect(foreign.status?.containerStatuses).toBeUndefined()
    await here('delete', 'pod', 'foreign', '--grace-period=0', '--force')
  })
})
