import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  buildController,
  CONTROLLER_NAMESPACE,
  serviceAccountKubeconfig,
  startController,
  stopControllers,
} from './controller-process.ts'
import type { ControllerProcess } from './controller-process.ts'
import { describeLab } from './describe-lab.ts'
import { doctor } from './doctor-process.ts'
import { theLab } from './env.ts'
import { eventually } from './eventually.ts'
import { createFleet } from './fleet.ts'
import type { Fleet, FleetClaim } from './fleet.ts'
import { install } from './install.ts'
import { apply, kubectl, kubectlJson } from './kubectl.ts'
import { openstack } from './openstack.ts'
import type { RestClient } from './openstack.ts'
import { serveLoads } from './volume-counters.ts'

const NAME = 'e2e-doctor'
const TIERS = ['hot', 'warm', 'cold'].map((name, i) => ({
  name,
  cinderVolumeType: `couchestor-${name}`,
  iopsThreshold: [100, 10, 0][i] ?? 0,
}))
const POLICY = {
  tiers: TIERS,
  metrics: { window: '1m' },
  // with Auto this Cinder gets a warning, and rightly so
  migration: { attached: 'Never' },
} as const
const RESTORE = 'deploy/samples/storage-class-restore.yaml'
const UNLIMITED = { 'gigabytes_couchestor-warm': -1 }
const CRD = 'storagepolicies.couchestor.io'

/** Of this test's policy only: others may be at work in the same cluster. */
const ONE = ['--policy', NAME]

let fleet: Fleet
let used: FleetClaim
let moved: FleetClaim
let admin: RestClient
let pod: { kubeconfig: string; folder: string } | undefined
let controller: ControllerProcess
let snapshot: string | undefined
let stopLoads: (() => Promise<void>) | undefined
const types: string[] = []

/** A volume type of the administrator's, gone at the end. */
async function createType(name: string, specs: Readonly<Record<string, string>>): Promise<void> {
  const body = { volume_type: { name, extra_specs: specs } }
  const made = await admin.request('POST', '/types', body)
  types.push((made.body['volume_type'] as { id: string }).id)
}

/** Everything that a wrong hand could have changed. */
async function versions(): Promise<string> {
  const kinds =
    'storagepolicies,volumemigrations,tieringcheckpoints,persistentvolumeclaims,persistentvolumes,customresourcedefinitions,storageclasses'
  const { items } = await kubectlJson<{
    items: { metadata: { uid: string; resourceVersion: string } }[]
  }>(['get', kinds, '-A'])
  return items.map(({ metadata: m }) => `${m.uid} ${m.resourceVersion}`).join('\n')
}

/** While the controller stands still: it writes at the end of each window, which is once a minute. */
async function alone<T>(read: () => Promise<T>): Promise<T> {
  controller.signal('SIGSTOP')
  try {
    return await read()
  } finally {
    controller.signal('SIGCONT')
    await leadsAgain()
  }
}

/** A controller that stood still for longer than its lease lasts ends, and its pod is started again. */
async function leadsAgain(): Promise<void> {
  type Lease = { spec: { renewTime?: string } }
  const since = Date.now()
  const path = ['-n', CONTROLLER_NAMESPACE, 'get', 'lease', 'couchestor-controller']
  await eventually('a controller leads', async () => {
    if (controller.end() !== undefined) controller = await startController()
    const { spec } = await kubectlJson<Lease>(path)
    return Date.parse(spec.renewTime ?? '') > since
  })
}

/** As the pod of the controller: with its account. */
const inPod = (): readonly string[] => ['--kubeconfig', pod?.kubeconfig ?? '']

describeLab('the doctor', () => {
  beforeAll(async () => {
    await buildController()
    await install()
    await kubectl(['apply', '-f', RESTORE])
    admin = await openstack('admin')
    fleet = await createFleet(NAME)
    await fleet.up()
    await fleet.policy(NAME, POLICY)
    used = await fleet.claim('used', NAME)
    moved = await fleet.claim('moved', NAME)
    await fleet.pod('worker', 'used', used.volumeId)
    const from = Math.floor(Date.now() / 1000)
    stopLoads = await serveLoads(NAME, [{ volumeId: used.volumeId, iops: 400 }], from)
    controller = await startController()
    const { kubeconfig } = await serviceAccountKubeconfig()
    const folder = mkdtempSync(join(tmpdir(), 'couchestor-doctor-pod-'))
    writeFileSync(join(folder, 'kubeconfig'), kubeconfig, { mode: 0o600 })
    pod = { folder, kubeconfig: join(folder, 'kubeconfig') }
    await eventually(
      'a minute of usage',
      async () => (await doctor({ args: ONE })).codes.length === 0,
      300,
      5000,
    ).catch(async () => process.stdout.write((await doctor({ args: ONE })).text))
  }, 600_000)
  afterAll(async () => {
    if (pod !== undefined) rmSync(pod.folder, { recursive: true })
    await stopControllers()
    await stopLoads?.()
    await fleet.cinder.setQuota('couchestor', UNLIMITED)
    if (snapshot !== undefined) await fleet.cinder.deleteSnapshot(snapshot)
    await fleet.down()
    for (const id of types) await admin.request('DELETE', `/types/${id}`)
    await kubectl(['delete', '-f', RESTORE, '--ignore-not-found'])
    await install()
  })

  it('finds nothing on a healthy installation, and changes nothing', async () => {
    const { before, run, after } = await alone(async () => ({
      before: await versions(),
      run: await doctor({ args: [...ONE, '--fail-on', 'warning'] }),
      after: await versions(),
    }))
    expect(run.codes).toEqual([])
    expect(run.code).toBe(0)
    expect(run.diagnosis?.tiers.map((t) => [t.tier, t.volumeType, t.volumes])).toEqual([
      ['hot', 'couchestor-hot', 2],
      ['warm', 'couchestor-warm', 0],
      ['cold', 'couchestor-cold', 0],
    ])
    expect(after).toBe(before)
  })

  it("works with the controller's own account, and says what that is not allowed to read", async () => {
    const run = await doctor({ args: [...ONE, ...inPod()] })
    expect(run.codes).toEqual([])
    expect(run.code).toBe(0)
    const passed = run.diagnosis?.passed.map((p) => p.text).join('\n')
    expect(passed).toMatch(/has all \d+ permissions it needs/)
    expect(passed).toMatch(/CustomResourceDefinitions are those of version/)
  })

  it('reports a wrong secret without repeating it', async () => {
    const secret = 'not-the-secret-31415926'
    const run = await doctor({ env: { OS_APPLICATION_CREDENTIAL_SECRET: secret } })
    expect(run.code).toBe(1)
    expect(run.codes).toContain('CredentialRefused')
    expect(run.text).not.toContain(secret)
    expect(run.finding('CredentialRefused').fix).toContain('application credential create')
  })

  it('never shows the secret or a token', async () => {
    const run = await doctor()
    expect(run.text).not.toContain(theLab().env['OS_APPLICATION_CREDENTIAL_SECRET'])
    expect(run.text).not.toContain('gAAAA')
  })

  it('reports at once that Keystone, Kubernetes or Prometheus do not answer', async () => {
    const started = Date.now()
    const cloudless = await doctor({ env: { OS_AUTH_URL: 'http://127.0.0.1:1/v3' } })
    expect(cloudless.codes).toContain('KeystoneUnreachable')
    expect(Date.now() - started).toBeLessThan(15_000)
    const dark = await doctor({
      args: ONE,
      config: { prometheus: { endpoint: 'http://127.0.0.1:1' } },
    })
    expect(dark.codes).toEqual(['MetricsDown'])
  })

  it('names a missing rule, what it costs and the line that fixes it', async () => {
    type Role = { rules: { resources: string[] }[] }
    const { rules } = await kubectlJson<Role>(['get', 'clusterrole', 'couchestor'])
    const less = rules.map((r) => ({ ...r, resources: r.resources.filter((n) => n !== 'pods') }))
    const patch = ['patch', 'clusterrole', 'couchestor', '--type=merge', '-p']
    await kubectl([...patch, JSON.stringify({ rules: less })])
    for (const args of [[], inPod()]) {
      const run = await doctor({ args: [...ONE, '--fail-on', 'warning', ...args] })
      expect(run.code).toBe(1)
      const { what, why, fix } = run.finding('OptionalRuleMissing')
      expect(what).toContain('system:serviceaccount:couchestor-system:couchestor may not get, list')
      expect(why).toContain('a pod waits')
      expect(fix).toContain("{apiGroups: [''], resources: [pods], verbs: [get, list, watch]}")
    }
    await install()
  })

  it('finds a stale definition, also with the account of the controller', async () => {
    const path = '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/metrics'
    const removal = [{ op: 'remove', path: `${path}/properties/ioUnitKiB` }]
    await kubectl(['patch', 'crd', CRD, '--type=json', '-p', JSON.stringify(removal)])
    const found = await doctor({ args: ONE })
    expect(found.codes).toEqual(['CrdStale'])
    const { what, fix } = found.finding('CrdStale')
    expect(what).toBe(`${CRD} differs at spec.metrics.ioUnitKiB: missing`)
    expect(fix).toBe('kubectl apply -f deploy/crds/couchestor.io_storagepolicies.yaml')
    await eventually(
      'the API server publishes the change',
      async () => (await doctor({ args: [...ONE, ...inPod()] })).codes[0] === 'CrdStale',
      120,
      2000,
    )
    await kubectl(fix.split(' ').slice(1))
    expect((await doctor({ args: ONE })).codes).toEqual([])
  })

  it('finds usage numbers under another preset, and none at all', async () => {
    const wrong = await doctor({ args: ONE, config: { prometheus: { preset: 'libvirt' } } })
    expect(wrong.codes).toEqual(['OtherSourceAnswers'])
    expect(wrong.finding('OtherSourceAnswers').fix).toBe(
      'set prometheus.preset: agent in config.yaml',
    )
    const none = await doctor({
      args: ONE,
      config: { prometheus: { matchers: { cluster: 'elsewhere' } } },
    })
    expect(none.codes).toContain('NoSeries')
  })

  it('finds a policy whose type is misspelt, is invalid or paused, and what Cinder would not move', async () => {
    const tiers = [
      { name: 'hot', cinderVolumeType: 'couchestor-hott', iopsThreshold: 100 },
      { name: 'cold', cinderVolumeType: 'couchestor-cold' },
    ]
    await fleet.policy(`${NAME}-typo`, { ...POLICY, tiers })
    await fleet.policy(`${NAME}-zone`, {
      ...POLICY,
      migration: { schedule: '0 1 * * *', timeZone: 'Europe/Atlantis' },
    })
    await fleet.policy(`${NAME}-paused`, { ...POLICY, paused: true })
    snapshot = await fleet.cinder.createSnapshot(moved.volumeId, NAME)
    const run = await doctor()
    const blocked = await doctor({ args: ONE })
    for (const code of ['TierTypeMissing', 'PolicyInvalid', 'PolicyPaused'])
      expect(run.codes).toContain(code)
    expect(blocked.codes).toEqual(['FleetBlocked'])
    expect(run.finding('TierTypeMissing').what).toContain('(did you mean "couchestor-hot"?)')
    expect(run.finding('PolicyInvalid').what).toContain('Atlantis')
    expect(run.finding('PolicyPaused').fix).toBe(`couchestor resume ${NAME}-paused`)
    expect(blocked.finding('FleetBlocked').what).toContain('snapshots 1')
    await fleet.cinder.deleteSnapshot(snapshot)
    snapshot = undefined
    for (const end of ['typo', 'zone', 'paused']) await kubectl(['delete', 'stp', `${NAME}-${end}`])
  })

  it("finds the guide's unscoped extra spec as an administrator, and says as a member that it cannot see", async () => {
    await createType(`${NAME}-spec`, { volume_backend_name: 'hot', couchestor_tier: 'hot' })
    await createType(`${NAME}-twin`, { volume_backend_name: 'hot' })
    const tiers = [
      { name: 'fast', cinderVolumeType: `${NAME}-spec`, iopsThreshold: 100 },
      { name: 'slow', cinderVolumeType: `${NAME}-twin` },
    ]
    await fleet.policy(`${NAME}-spec`, { ...POLICY, tiers })
    await fleet.policyWhen(
      `${NAME}-spec`,
      'is seen',
      (p) => p.status?.observedGeneration === p.metadata.generation,
    )
    const only = { args: ['--policy', `${NAME}-spec`] }
    const seen = await doctor({ ...only, cloud: 'admin' })
    expect(seen.finding('SpecUnscoped').what).toContain('couchestor_tier=hot')
    expect(seen.finding('SpecUnscoped').fix).toContain(
      `openstack volume type unset --property couchestor_tier ${NAME}-spec`,
    )
    expect(seen.finding('TiersShareBackend').what).toContain(
      'fast and slow both lie on backend hot',
    )
    const member = await doctor(only)
    expect(member.codes).toEqual([])
    expect(member.finding('SpecsHidden').fix).toContain('openstack volume type list --long')

    const other = await openstack('other')
    const body = { volume: { size: 1, name: NAME, volume_type: `${NAME}-spec` } }
    const made = await other.request('POST', '/volumes', body)
    const { id } = made.body['volume'] as { id: string }
    await fleet.cinder.volumeWhen(id, 'fails', (v) => v.status === 'error')
    const failed = await doctor({ ...only, cloud: 'other' })
    expect(failed.finding('CreateFails').what).toContain(`${NAME}-spec`)
    await fleet.cinder.deleteVolume(id)
    await kubectl(['delete', 'stp', `${NAME}-spec`])
  })

  it('finds a full quota, and a claim that could not be restored', async () => {
    await fleet.cinder.setQuota('couchestor', { 'gigabytes_couchestor-warm': 0 })
    await kubectl(['delete', '-f', RESTORE])
    expect((await doctor({ args: ONE })).codes).toEqual(['QuotaFull', 'RestoreClassMissing'])
    await fleet.cinder.retype(moved.volumeId, 'couchestor-cold')
    await fleet.volumeOn(moved.volumeId, 'couchestor-cold')
    const run = await doctor({ args: ONE })
    expect(run.codes).toEqual(['QuotaFull', 'RestoreFails'])
    expect(run.finding('RestoreFails').what).toContain(`${NAME}/moved`)
    await kubectl(run.finding('RestoreFails').fix.split(',')[0]!.split(' ').slice(1))
    await fleet.cinder.setQuota('couchestor', UNLIMITED)
    expect((await doctor({ args: ONE })).codes).toEqual([])
  })

  it('finds a controller that is gone, a second one, and a move that is stuck', async () => {
    await stopControllers()
    await apply({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'couchestor-controller', namespace: NAME },
      spec: { holderIdentity: 'another', leaseDurationSeconds: 15 },
    })
    await apply({
      apiVersion: 'couchestor.io/v1alpha1',
      kind: 'VolumeMigration',
      metadata: { name: 'stuck', namespace: NAME },
      spec: { claim: { name: 'used' }, to: 'cold', policy: NAME },
    })
    const status = { step: 'Stuck', reason: 'DeadlinePassed', volumeId: used.volumeId }
    const patch = ['patch', 'vmig', 'stuck', '--subresource=status', '--type=merge', '-p']
    await kubectl(['-n', NAME, ...patch, JSON.stringify({ status })])
    const run = await doctor({ args: ONE })
    expect(run.codes).toEqual(['NoLeader', 'TwoInstallations', 'MigrationStuck'])
    expect(run.finding('MigrationStuck').fix).toContain(`openstack volume show ${used.volumeId}`)
    expect(run.finding('NoLeader').what).toContain(CONTROLLER_NAMESPACE)
  })
})
