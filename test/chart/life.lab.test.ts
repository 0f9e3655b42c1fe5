import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { isInFlight } from '../../src/api/volume-migration.ts'
import type { VolumeMigration } from '../../src/api/volume-migration.ts'
import { retypesOf } from '../lab/cinder-log.ts'
import { command } from '../lab/command.ts'
import { buildController } from '../lab/controller-process.ts'
import { describeLab } from '../lab/describe-lab.ts'
import { theLab } from '../lab/env.ts'
import { eventually } from '../lab/eventually.ts'
import { createFleet } from '../lab/fleet.ts'
import type { Fleet } from '../lab/fleet.ts'
import { install } from '../lab/install.ts'
import { apply, kubectl, kubectlJson } from '../lab/kubectl.ts'
import { query, scrapeTarget } from '../lab/prometheus.ts'
import { CHART, helm, NAMESPACE, RELEASE, render } from './helm.ts'
import { egressRules, packets, TABLE } from './nftables.ts'
import { one } from './shapes.ts'

const PREFIX = 'chart-life'
const OLD = '0.0.9'
const CRDS = ['storagepolicies', 'volumemigrations', 'tieringcheckpoints'].map(
  (kind) => `${kind}.couchestor.io`,
)
const RESTARTS = 'jsonpath={.items[*].status.containerStatuses[0].restartCount}'
const TIERS = [{ name: 'hot' }, { name: 'warm' }, { name: 'cold' }]

const VALUES = {
  config: {
    openstack: { region: 'RegionOne' },
    prometheus: { endpoint: 'http://127.0.0.1:9090', lag: '6s' },
    migration: { cooldown_period: '0s' },
  },
  policies: { [PREFIX]: { mode: 'Auto', tiers: TIERS } },
}

type PodList = {
  items: {
    metadata: { name: string; uid: string; labels: Record<string, string> }
    status: { podIP?: string }
  }[]
}
type Policy = {
  metadata: { uid: string }
  status?: { conditions?: { type: string; status: string }[] }
}

const inNamespace = (...args: string[]) => kubectl(['-n', NAMESPACE, ...args])
const release = (verb: string, ...args: string[]) =>
  helm([verb, RELEASE, ...args, '--namespace', NAMESPACE])
const ready = ['--wait', '--timeout', '120s']
const deploy = (verb: string, chart: string, values: object, ...args: string[]) =>
  helm([verb, RELEASE, chart, '--namespace', NAMESPACE, ...ready, ...args], values)
const policy = () => kubectlJson<Policy>(['get', 'stp', PREFIX])
const inFlight = (m: VolumeMigration) => isInFlight(m)
const succeeded = (m: VolumeMigration) => m.status?.step === 'Succeeded'

async function controllerLogs(): Promise<string> {
  return inNamespace(
    'logs',
    '--selector=app=couchestor,component=controller',
    '--tail=-1',
    '--prefix',
  )
}

/** The two controllers, when an update has replaced both: Helm is content with one, since the other may be away. */
async function controllers(): Promise<readonly string[]> {
  await inNamespace('rollout', 'status', 'deployment/couchestor-controller', '--timeout=120s')
  return eventually('two controllers run', async () => {
    const args = ['-n', NAMESPACE, 'get', 'pods', '-l', 'component=controller']
    const { items } = await kubectlJson<PodList>(args)
    return items.length === 2 && items.map((p) => p.metadata.uid)
  })
}

/** The lab's Prometheus knows nothing of Kubernetes. Gives the way to end it. */
async function scrapeAgent(): Promise<() => void> {
  const args = ['-n', NAMESPACE, 'get', 'pods', '-l', 'component=agent']
  const address = await eventually('an agent has its address', async () => {
    const { items } = await kubectlJson<PodList>(args)
    return items[0]?.status.podIP
  })
  const unscrape = scrapeTarget(PREFIX, `${address}:9106`)
  const series = `couchestor_agent_scrape_success{instance="${address}:9106"}`
  await eventually('Prometheus has read it', async () => (await query(series)).length > 0)
  return unscrape
}

/** SIGKILL to every program of a pod. The one that waits for another takes it along, so either may be gone first. */
async function killAllIn(space: string): Promise<void> {
  const pids = (await command('ip', ['netns', 'pids', space])).split('\n').filter((p) => p !== '')
  expect(pids).not.toEqual([])
  await command('kill', ['-KILL', ...pids]).catch((e: unknown) => {
    if (!String(e).includes('No such process')) throw e
  })
}

/** Neither a release nor what deploy/ or an aborted run has left; CRDs go when nobody has objects of them. */
async function nothingInstalled(): Promise<void> {
  await release('uninstall', '--ignore-not-found', '--wait')
  const files = [
    'rbac',
    'config',
    'controller',
    'agent',
    'exporter',
    'admission',
    'network-policies',
  ]
  await kubectl([
    'delete',
    '--ignore-not-found',
    ...files.flatMap((f) => ['-f', `deploy/${f}.yaml`]),
  ])
  const known = await kubectl(['get', 'crd', '-o', 'name'])
  if (!known.includes(CRDS[0]!)) return
  await kubectl(['delete', 'tieringcheckpoint', '--all'])
  await eventually(
    'nobody has policies or moves',
    async () => (await kubectl(['get', 'stp,vmig', '-A', '-o', 'name'])) === '',
  )
  await kubectl(['delete', 'crd', '--ignore-not-found', ...CRDS])
}

async function secret(): Promise<void> {
  const { env } = theLab()
  const keys = ['OS_AUTH_URL', 'OS_APPLICATION_CREDENTIAL_ID', 'OS_APPLICATION_CREDENTIAL_SECRET']
  await apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'openstack-credentials', namespace: NAMESPACE },
    stringData: Object.fromEntries(keys.map((key) => [key, env[key] ?? ''])),
  })
}

let folder: string
let fleet: Fleet
let old: string

describeLab('the chart, from installation to the end', () => {
  beforeAll(async () => {
    await buildController()
    folder = mkdtempSync(join(tmpdir(), 'couchestor-chart-'))
    await helm(['package', CHART, '--version', OLD, '--app-version', OLD, '-d', folder])
    old = join(folder, `couchestor-${OLD}.tgz`)
    await kubectl(['delete', 'stp', PREFIX, `${PREFIX}-hand`, '--ignore-not-found']).catch(() => '')
    fleet = await createFleet(PREFIX)
    await fleet.up()
    await nothingInstalled()
    await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } })
    await secret()
  })
  afterAll(async () => {
    await fleet.down()
    const policies = ['stp', PREFIX, `${PREFIX}-hand`, '--ignore-not-found']
    await kubectl(['delete', ...policies]).catch(() => '')
    await nothingInstalled()
    // other tests find the lab as it was
    await install()
    rmSync(folder, { recursive: true })
  })

  it('comes up ready from nothing, CRDs and policy included', async () => {
    const out = await deploy('install', old, VALUES)
    expect(out).toContain('STATUS: deployed')
    expect(out).toContain('helm test couchestor')
    expect(out).not.toContain('There is no Secret')
    const { items } = await kubectlJson<PodList>(['-n', NAMESPACE, 'get', 'pods'])
    const components = items.map((p) => p.metadata.labels['component'])
    expect(components).toEqual(expect.arrayContaining(['controller', 'controller', 'agent']))
    await eventually('the policy is evaluated', async () =>
      (await policy()).status?.conditions?.some(
        (c) => c.type === 'TiersResolved' && c.status === 'True',
      ),
    )
    // one that has not begun yet has no log to show
    await controllers()
    expect(await controllerLogs()).not.toMatch(/missingRule|403 Forbidden/)
  })

  it('is examined by helm test, whose rights go when all is in order', async () => {
    const holder = [
      'get',
      'lease',
      'couchestor-controller',
      '-o',
      'jsonpath={.spec.holderIdentity}',
    ]
    await eventually('a controller leads', async () => {
      const { items } = await kubectlJson<PodList>(['-n', NAMESPACE, 'get', 'pods'])
      const leader = await inNamespace(...holder)
      return items.some((p) => leader.startsWith(p.metadata.name))
    })
    const unscrape = await scrapeAgent()
    const out = await release('test', '--logs', '--timeout', '120s').finally(unscrape)
    expect(out).toContain('Phase:          Succeeded')
    expect(out).toMatch(/account:couchestor-system:couchestor has all \d+ permissions/)
    expect(out).not.toMatch(/403 Forbidden/)
    const left = ['clusterrole', 'couchestor-doctor', '--ignore-not-found', '-o', 'name']
    expect(await kubectl(['get', ...left])).toBe('')
  })

  it('upgrades from a packaged lower version with a move in flight, which ends once and whole', async () => {
    const { metadata } = await policy()
    const { volumeId } = await fleet.claim('moving', PREFIX)
    const before = await fleet.digest(volumeId)
    const pods = await controllers()
    await fleet.annotate('moving', { 'couchestor.io/force-tier': 'cold' })
    const flying = await eventually('the move is under way', async () =>
      (await fleet.migrations('moving')).find(inFlight),
    )
    await deploy('upgrade', CHART, VALUES)
    expect((await controllers()).filter((uid) => pods.includes(uid))).toEqual([])

    await fleet.volumeOn(volumeId, 'couchestor-cold')
    const done = await eventually('the move succeeds', async () =>
      (await fleet.migrations('moving')).find(succeeded),
    )
    expect(done.metadata.uid).toBe(flying.metadata.uid)
    expect(await fleet.migrations('moving')).toHaveLength(1)
    expect(retypesOf(volumeId)).toHaveLength(1)
    expect(await fleet.digest(volumeId)).toBe(before)
    // the policy is the one that the first installation made, now an object of the release
    expect((await policy()).metadata.uid).toBe(metadata.uid)
    expect(await helm(['get', 'manifest', RELEASE, '-n', NAMESPACE])).toMatch(
      /kind: StoragePolicy\nmetadata:\n {2}name: chart-life\n/,
    )
    expect(await helm(['get', 'hooks', RELEASE, '-n', NAMESPACE])).not.toContain('StoragePolicy')
  })

  it('reaches all it needs, and nothing else, under its own NetworkPolicy', async () => {
    const values = { ...VALUES, networkPolicy: { enabled: true } }
    const rules = egressRules(
      one(await render(values), 'NetworkPolicy', 'couchestor-controller-policy'),
    )
    const spaces = (await controllers()).map((uid) => `labkubelet-${uid.slice(0, 12)}`)
    const nft = (space: string, args: string[], input?: string) =>
      command('ip', ['netns', 'exec', space, 'nft', ...args], input === undefined ? {} : { input })
    for (const space of spaces) await nft(space, ['-f', '-'], rules)
    // old connections would prove nothing: the containers start again, in the same namespaces
    for (const space of spaces) await killAllIn(space)
    const restarts = ['get', 'pods', '-l', 'component=controller', '-o', RESTARTS]
    await eventually(
      'the controllers have started again',
      async () => /^[1-9]\d* [1-9]\d*$/.test(await inNamespace(...restarts)),
      120,
    )
    await controllers()
    const { volumeId } = await fleet.claim('fenced', PREFIX)
    await fleet.annotate('fenced', { 'couchestor.io/force-tier': 'warm' })
    await fleet.volumeOn(volumeId, 'couchestor-warm')
    await eventually('the move succeeds', async () =>
      (await fleet.migrations('fenced')).find(succeeded),
    )
    const counted = () =>
      Promise.all(
        spaces.map(async (s) => packets(await nft(s, ['-j', 'list', 'table', 'ip', TABLE]))),
      )
    const total = async (of: string) =>
      (await counted()).reduce((sum, map) => sum + (map.get(of) ?? 0), 0)
    for (const port of ['TCP 6443', 'TCP 5000', 'TCP 8776', 'TCP 9090'])
      await eventually(`${port} is reached`, async () => (await total(port)) > 0)
    expect(await total('dropped')).toBe(0)
    for (const space of spaces) await nft(space, ['delete', 'table', 'ip', TABLE])
  })

  it('rolls back and keeps policy and moves', async () => {
    const moves = (await fleet.migrations('moving')).map((m) => m.metadata.uid)
    await release('rollback', '1', ...ready)
    const image = ['-o', 'jsonpath={.spec.template.spec.containers[0].image}']
    expect(await inNamespace('get', 'deployment', 'couchestor-controller', ...image)).toMatch(
      `:${OLD}`,
    )
    expect(await kubectl(['get', 'stp', PREFIX, '-o', 'name'])).toContain(PREFIX)
    expect((await fleet.migrations('moving')).map((m) => m.metadata.uid)).toEqual(moves)
  })

  it('is uninstalled without CRDs, policies made by hand, moves and checkpoints', async () => {
    await apply({
      apiVersion: 'couchestor.io/v1alpha1',
      kind: 'StoragePolicy',
      metadata: { name: `${PREFIX}-hand` },
      spec: { mode: 'Observe', tiers: TIERS },
    })
    const kept = async () => ({
      crds: await kubectl(['get', 'crd', ...CRDS, '-o', 'jsonpath={.items[*].metadata.uid}']),
      hand: await kubectl(['get', 'stp', `${PREFIX}-hand`, '-o', 'jsonpath={.metadata.uid}']),
      moves: (await fleet.migrations('moving')).map((m) => m.metadata.uid),
    })
    const before = await kept()
    expect(before.moves).toHaveLength(1)
    const out = await release('uninstall', '--wait')
    expect(out).toContain('uninstalled')
    expect(await kept()).toEqual(before)
    expect(await inNamespace('get', 'deployment,daemonset,serviceaccount', '-o', 'name')).toBe(
      'serviceaccount/default\n',
    )
    const roles = await kubectl(['get', 'clusterrole', '-o', 'name'])
    expect(roles).not.toMatch(/\/couchestor(-view|-operate)?$/m)
  })

  it("takes over what deploy/ has installed, on the reader's word only", async () => {
    await kubectl([
      'apply',
      '-f',
      'deploy/rbac.yaml',
      '-f',
      'deploy/config.yaml',
      '-f',
      'deploy/admission.yaml',
    ])
    const refused = await deploy('install', CHART, VALUES).catch(String)
    expect(refused).toMatch(/exists and cannot be imported into the current release/)
    const out = await deploy('install', CHART, VALUES, '--take-ownership')
    expect(out).toContain('STATUS: deployed')
    // the kind is known, so the policy is an object of the release from the start
    expect(await helm(['get', 'hooks', RELEASE, '-n', NAMESPACE])).not.toContain('StoragePolicy')
    await release('uninstall', '--wait')
    expect(await kubectl(['get', 'stp', '-o', 'name'])).toBe(
      `storagepolicy.couchestor.io/${PREFIX}-hand\n`,
    )
  })
})
