import { afterAll, beforeAll, expect, it } from 'vitest'
import { AGENT_READS } from '../../src/activity/prometheus/presets.ts'
import { retypesOf } from './cinder-log.ts'
import { buildController, startController, stopControllers } from './controller-process.ts'
import { describeLab } from './describe-lab.ts'
import { eventually } from './eventually.ts'
import { createFleet, LIVE_TIERS } from './fleet.ts'
import type { Fleet, FleetClaim } from './fleet.ts'
import { install } from './install.ts'
import { kubectlJson } from './kubectl.ts'
import { query } from './prometheus.ts'
import { serveLoads } from './volume-counters.ts'

const PLAIN = 'e2e-attached'
const LIVE = 'e2e-attached-live'

let fleet: Fleet
let live: FleetClaim
let movedAt = 0
let stopLoads: (() => Promise<void>) | undefined

type Attachments = {
  items: { spec: { source: { persistentVolumeName?: string } }; status?: { attached: boolean } }[]
}

/** Kubernetes hears of it from the attacher, which asks Cinder now and then. */
async function attachedInKubernetes({ name, pv }: FleetClaim): Promise<void> {
  await eventually(`the volume of claim ${name} is attached in Kubernetes`, async () => {
    const { items } = await kubectlJson<Attachments>(['get', 'volumeattachments'])
    return items.some((a) => a.spec.source.persistentVolumeName === pv && a.status?.attached)
  })
}

describeLab('the controller, with attached volumes', () => {
  beforeAll(async () => {
    await buildController()
    await install()
    fleet = await createFleet('e2e-attached')
    await fleet.up()
    await fleet.policy(PLAIN, {})
    await fleet.policy(LIVE, {
      tiers: LIVE_TIERS,
      metrics: { window: '1m' },
      migration: { attached: 'Allow' },
    })
    live = await fleet.claim('live', LIVE, 'couchestor-live-hot')
    // early, so that the first windows of the policy are whole by the time they are asked for
    const loads = [{ volumeId: live.volumeId, iops: 50 }]
    stopLoads = await serveLoads('e2e-attached', loads, Date.now() / 1000 - 60)
    await startController()
  })
  afterAll(async () => {
    await stopControllers()
    await stopLoads?.()
    await fleet.down()
  })

  it('moves live where the types and the administrator allow it', async () => {
    const { volumeId } = live
    await fleet.pod('worker', 'live', volumeId)
    await attachedInKubernetes(live)
    const [attachment] = (await fleet.cinder.volume(volumeId))?.attachments ?? []
    const image = await fleet.image(volumeId)
    const before = await fleet.digest(volumeId)
    await fleet.annotate('live', { 'couchestor.io/force-tier': 'cold' })

    await fleet.volumeOn(volumeId, 'couchestor-live-cold')
    await fleet.migrationWhen('live', 'succeeds', (m) => m.status?.step === 'Succeeded')
    // at its end Cinder shows the volume without attachments for a moment
    const moved = await fleet.cinder.volumeWhen(
      volumeId,
      'has an attachment',
      (v) => v.attachments.length > 0,
    )
    expect(moved).toMatchObject({ id: volumeId, status: 'in-use' })
    expect(moved.attachments.map((a) => a.server_id)).toEqual([attachment?.server_id])
    await attachedInKubernetes(live)
    expect(await fleet.digest(volumeId)).toBe(before)
    expect((await fleet.events('live')).map((e) => e.reason)).not.toContain('MigrationBlocked')

    // the image has another pool and another name now, which would lose series by image
    const after = await fleet.image(volumeId)
    expect(after.pool).toBe('cold-pool')
    expect(after.image).not.toBe(image.image)
    movedAt = Date.now()
  })

  it('holds the move where it could lose data, says the three ways out, and makes it at the detach', async () => {
    const claim = await fleet.claim('waiting', PLAIN)
    const { volumeId } = claim
    await fleet.pod('user', 'waiting', volumeId)
    await attachedInKubernetes(claim)
    const before = await fleet.digest(volumeId)
    await fleet.annotate('waiting', { 'couchestor.io/force-tier': 'warm' })

    const waiting = await fleet.migrationWhen(
      'waiting',
      'is blocked',
      (m) => m.status?.step === 'Waiting' && m.status.reason === 'Attached',
    )
    const { message } = await fleet.eventWhen('waiting', 'MigrationBlocked')
    for (const said of [message, waiting.status?.message]) {
      expect(said).toContain('upgrade Cinder to 24.0.0')
      expect(said).toContain('couchestor:tier=hot')
      expect(said).toContain('set migration.attached to Allow')
    }
    expect(retypesOf(volumeId)).toEqual([])
    expect((await fleet.cinder.volume(volumeId))?.status).toBe('in-use')
    await attachedInKubernetes(claim)
    expect(await fleet.digest(volumeId)).toBe(before)

    await fleet.removePod('user')
    await fleet.volumeOn(volumeId, 'couchestor-warm')
    await fleet.migrationWhen('waiting', 'succeeds', (m) => m.status?.step === 'Succeeded')
    expect(retypesOf(volumeId)).toHaveLength(1)
    expect(await fleet.digest(volumeId)).toBe(before)
  })

  it('finds the guest-side series of a volume that has moved, although its image has another name', async () => {
    const series = `${AGENT_READS}{volume_id="${live.volumeId}"}`
    await eventually('Prometheus has the series', async () => (await query(series)).length === 1)
    expect(movedAt).toBeGreaterThan(0)
    await fleet.policyWhen(
      LIVE,
      'has usage numbers of a window from after the move',
      ({ status }) =>
        Date.parse(status?.lastWindowEnd ?? '') > movedAt &&
        status?.conditions?.find((c) => c.type === 'MetricsHealthy')?.message ===
          '1 of 1 attached volumes have usage numbers from Prometheus',
      300,
    )
    await fleet.removePod('worker')
  })
})
