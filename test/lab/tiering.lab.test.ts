import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { retypesOf } from './cinder-log.ts'
import { ageVolumes } from './cinder-database.ts'
import { buildController, startController, stopControllers } from './controller-process.ts'
import type { ControllerProcess } from './controller-process.ts'
import { describeLab } from './describe-lab.ts'
import { theLab } from './env.ts'
import { eventually } from './eventually.ts'
import { createFleet } from './fleet.ts'
import type { Fleet, FleetClaim } from './fleet.ts'
import { install } from './install.ts'
import { kubectl, kubectlJson } from './kubectl.ts'
import { openstack } from './openstack.ts'
import { restart, signal } from './processes.ts'
import { backfill } from './prometheus.ts'
import { loadHistory, serveLoads } from './volume-counters.ts'

const POLICY = 'e2e-tiering'
const DAY = 86_400
const HISTORY_DAYS = 4
const STEP = 120
/** History is sparser than what Prometheus scrapes live: coverage is measured against the history's pace. */
const PROMETHEUS = { scrape_interval: `${STEP}s` }
const NAMES = ['idle', 'busy', 'pinned'] as const
type Name = (typeof NAMES)[number]
const IOPS: Record<Name, number> = { idle: 0.1, busy: 400, pinned: 400 }

let fleet: Fleet
let controller: ControllerProcess
let claims: Record<Name, FleetClaim>
let digests: Record<Name, string>
let stopLoads: (() => Promise<void>) | undefined

function forEach<T>(make: (name: Name) => Promise<T>): Promise<Record<Name, T>> {
  const pairs = NAMES.map(async (name) => [name, await make(name)] as const)
  return Promise.all(pairs).then((all) => Object.fromEntries(all) as Record<Name, T>)
}

async function text(url: string): Promise<{ status: number; body: string }> {
  const res = await fetch(url)
  return { status: res.status, body: await res.text() }
}

/** Annotates without kubectl's own start in between, and gives the time (ms) at which the API server had it. */
async function annotatedAt(claim: string, annotations: Record<string, string>): Promise<number> {
  const kubernetes = join(theLab().state, 'kubernetes')
  const pem = (name: string) => readFileSync(join(kubernetes, name))
  const tls = { ca: pem('ca.crt'), cert: pem('admin.crt'), key: pem('admin.key') }
  const path = `/api/v1/namespaces/${fleet.namespace}/persistentvolumeclaims/${claim}`
  const headers = { 'content-type': 'application/merge-patch+json' }
  const options = { ...tls, host: '127.0.0.1', port: 6443, path, method: 'PATCH', headers }
  return new Promise((resolve, reject) => {
    const req = request(options, (res) => {
      res.resume().once('end', () => {
        if (res.statusCode === 200) resolve(Date.now())
        else reject(new Error(`PATCH ${path}: ${res.statusCode}`))
      })
    })
    req.once('error', reject)
    req.end(JSON.stringify({ metadata: { annotations } }))
  })
}

describeLab('the controller, end to end', () => {
  beforeAll(async () => {
    await buildController()
    await install()
    fleet = await createFleet('e2e-tiering')
    await fleet.up()
    await fleet.policy(POLICY, {})
    claims = await forEach((name) => fleet.claim(name, POLICY))
    digests = await forEach((name) => fleet.digest(claims[name].volumeId))
    const ids = NAMES.map((name) => claims[name].volumeId)
    await ageVolumes(ids, HISTORY_DAYS)
    const now = Math.floor(Date.now() / 1000)
    const from = now - HISTORY_DAYS * DAY
    const loads = NAMES.map((name) => ({ volumeId: claims[name].volumeId, iops: IOPS[name] }))
    stopLoads = await serveLoads('e2e-tiering', loads, from)
    await backfill(loadHistory(loads, from, now, STEP))
  })
  afterAll(async () => {
    await stopControllers()
    await restart('prometheus')
    await stopLoads?.()
    await fleet.down()
  })

  it('moves nothing by usage while Prometheus is down, and the policy says so', async () => {
    signal('prometheus', 'SIGKILL')
    controller = await startController({ config: { prometheus: PROMETHEUS } })
    const policy = await fleet.policyWhen(POLICY, 'knows that its source is down', ({ status }) => {
      const healthy = status?.conditions?.find((c) => c.type === 'MetricsHealthy')
      const down = healthy?.status === 'False' && healthy.reason === 'SourceDown'
      return down && status?.staying?.some((s) => s.reason === 'SourceDown') === true
    })
    const conditions = new Map(policy.status?.conditions?.map((c) => [c.type, c]))
    expect(conditions.get('Ready')).toMatchObject({ status: 'False', reason: 'MetricsDown' })
    expect(conditions.get('TiersResolved')?.status).toBe('True')
    expect(policy.status?.staying).toEqual([{ reason: 'SourceDown', claims: 3 }])
    for (const name of NAMES) {
      expect(await fleet.migrations(name)).toEqual([])
      expect(retypesOf(claims[name].volumeId)).toEqual([])
    }
  })

  it('moves the annotated claim at once, also without usage numbers', async () => {
    const { volumeId } = claims.pinned
    const at = await annotatedAt('pinned', { 'couchestor.io/force-tier': 'warm' })
    await fleet.volumeOn(volumeId, 'couchestor-warm')
    await fleet.migrationWhen('pinned', 'succeeds', (m) => m.status?.step === 'Succeeded')
    const [retype, ...more] = retypesOf(volumeId)
    expect(more).toEqual([])
    const milliseconds = (retype?.at ?? NaN) - at
    process.stdout.write(`force-tier annotation to Cinder request: ${milliseconds} ms\n`)
    expect(milliseconds).toBeLessThan(10_000)
  })

  it('moves the idle claim to cold once Prometheus is back, and leaves the busy one on hot', async () => {
    await restart('prometheus')
    await fleet.volumeOn(claims.idle.volumeId, 'couchestor-cold', 300)
    const m = await fleet.migrationWhen('idle', 'succeeds', (o) => o.status?.step === 'Succeeded')
    expect(m.spec).toMatchObject({
      reason: 'Policy',
      policy: POLICY,
      from: 'hot',
      to: 'cold',
      claim: { name: 'idle', uid: claims.idle.uid },
      volume: { pv: claims.idle.pv, id: claims.idle.volumeId },
    })
    const conditions = Object.fromEntries(
      (m.status?.conditions ?? []).map((c) => [c.type, c.status]),
    )
    expect(conditions).toEqual({ Validated: 'True', Progressing: 'False', Succeeded: 'True' })
    expect(m.status).toMatchObject({ reason: 'Verified', volumeId: claims.idle.volumeId })
    expect(await fleet.migrations('busy')).toEqual([])
    expect((await fleet.cinder.volume(claims.busy.volumeId))?.volume_type).toBe('couchestor-hot')
  })

  it('keeps volume ids, PersistentVolumes and every byte', async () => {
    const pools = { idle: 'cold-pool', busy: 'hot-pool', pinned: 'warm-pool' }
    for (const name of NAMES) {
      const { volumeId, pv } = claims[name]
      const { spec } = await kubectlJson<{ spec: { csi: { volumeHandle: string } } }>([
        'get',
        'pv',
        pv,
      ])
      expect(spec.csi.volumeHandle).toBe(volumeId)
      expect((await fleet.image(volumeId)).pool).toBe(pools[name])
      expect(await fleet.digest(volumeId)).toBe(digests[name])
    }
  })

  it('shows the type to a plain member, as "openstack volume show" does', async () => {
    const member = await openstack('operator')
    const types = await forEach(async (name) => {
      const { body } = await member.request('GET', `/volumes/${claims[name].volumeId}`)
      return (body['volume'] as { volume_type: string }).volume_type
    })
    expect(types).toEqual({
      idle: 'couchestor-cold',
      busy: 'couchestor-hot',
      pinned: 'couchestor-warm',
    })
  })

  it('documents each claim in events and annotations', async () => {
    for (const name of ['idle', 'pinned'] as const) {
      await fleet.eventWhen(name, 'RestoreNeedsClass')
      const reasons = (await fleet.events(name)).map((e) => e.reason)
      expect(reasons.filter((r) => r.startsWith('Migration'))).toEqual([
        'MigrationPlanned',
        'MigrationStarted',
        'MigrationSucceeded',
      ])
    }
    expect((await fleet.events('busy')).map((e) => e.reason)).toEqual([])
    const tiers = { idle: 'cold', busy: 'hot', pinned: 'warm' }
    for (const name of NAMES)
      await eventually(`annotations of ${name}`, async () => {
        const seen = await fleet.annotations(name)
        return (
          seen['couchestor.io/tier'] === tiers[name] &&
          seen['couchestor.io/matched-policy'] === POLICY &&
          (seen['couchestor.io/last-migration'] !== undefined) === (name !== 'busy')
        )
      })
  })

  it('sums it up in the status of the policy', async () => {
    const policy = await fleet.policyWhen(
      POLICY,
      'is ready and has counted its tiers',
      ({ status }) =>
        status?.conditions?.find((c) => c.type === 'Ready')?.status === 'True' &&
        JSON.stringify(status.tiers?.map((t) => [t.name, t.volumes, t.gib])) ===
          JSON.stringify(['hot', 'warm', 'cold'].map((tier) => [tier, 1, 1])),
    )
    expect(policy.status).toMatchObject({ managedClaims: 3, moving: 0, blockedPercent: 0 })
    const healthy = policy.status?.conditions?.find((c) => c.type === 'MetricsHealthy')
    expect(healthy).toMatchObject({ status: 'True', reason: 'Healthy' })
    expect(policy.status?.observedGeneration).toBe(policy.metadata.generation)
  })

  it('serves probes and metrics under the names that stock dashboards know', async () => {
    expect((await text(`${controller.healthUrl}/healthz`)).status).toBe(200)
    expect(await text(`${controller.healthUrl}/readyz`)).toEqual({ status: 200, body: 'leading\n' })
    const { body } = await text(controller.metricsUrl)
    for (const name of [
      'workqueue_depth{name="moves"}',
      'workqueue_queue_duration_seconds_bucket',
      'controller_runtime_reconcile_total{',
      'leader_election_master_status{name="couchestor-controller"} 1',
      'process_resident_memory_bytes',
      `couchestor_volumes{policy="${POLICY}",tier="cold"} 1`,
      'couchestor_migrations_total{policy="e2e-tiering",from="hot",to="cold",strategy="cinder-retype",result="Succeeded",reason="Verified"} 1',
    ])
      expect(body).toContain(name)
  })

  it('says neither the cloud credential nor its token anywhere', async () => {
    const secret = theLab().env['OS_APPLICATION_CREDENTIAL_SECRET'] ?? ''
    expect(secret.length).toBeGreaterThan(20)
    const all = ['-n', fleet.namespace, 'get', 'pvc,vmig,events', '-o', 'yaml']
    const places = {
      log: controller.text(),
      metrics: (await text(controller.metricsUrl)).body,
      objects: await kubectl(all),
      policies: await kubectl(['get', 'stp,tieringcheckpoints', '-o', 'yaml']),
    }
    const leaks = Object.entries(places).flatMap(([place, said]) => [
      ...(said.length < 100 ? [`${place} is empty`] : []),
      ...(said.includes(secret) ? [`the application credential in ${place}`] : []),
      ...(said.includes(controller.token) ? [`the ServiceAccount's token in ${place}`] : []),
      // what Keystone's tokens begin with
      ...(/gAAAAA[\w-]{20}/.test(said) ? [`a Keystone token in ${place}`] : []),
    ])
    expect(leaks).toEqual([])
  })

  it('ends cleanly at SIGTERM and gives the lease back', async () => {
    const { code, seconds } = await controller.stop()
    expect(code).toBe(0)
    expect(seconds).toBeLessThan(25)
    const lease = ['-n', 'couchestor-system', 'get', 'lease', 'couchestor-controller']
    const { spec } = await kubectlJson<{ spec: { holderIdentity?: string } }>(lease)
    expect(spec.holderIdentity ?? '').toBe('')
  })
})
