import { afterAll, beforeAll, expect, it } from 'vitest'
import { retypesOf } from './cinder-log.ts'
import { buildController, startController, stopControllers } from './controller-process.ts'
import type { ControllerProcess } from './controller-process.ts'
import { describeLab } from './describe-lab.ts'
import { eventually } from './eventually.ts'
import { createFleet } from './fleet.ts'
import type { Fleet, FleetClaim } from './fleet.ts'
import { install } from './install.ts'
import { apply, kubectl } from './kubectl.ts'
import { openstack } from './openstack.ts'
import { restart, signal } from './processes.ts'
import { writeRandom } from './rbd.ts'

const POLICY = 'e2e-trouble'
const NEVER = 'e2e-trouble-never'
const FORCE = 'couchestor.io/force-tier'
const QUOTA = 'gigabytes_couchestor-cold'

let fleet: Fleet
let controller: ControllerProcess
let stuck: FleetClaim & { readonly digest: string }

/** What the project uses of a quota: Cinder refuses a limit below it. */
async function usedOf(key: string): Promise<number> {
  const member = await openstack('operator')
  const { body } = await member.request('GET', `/os-quota-sets/${member.projectId}?usage=true`)
  const lines = body['quota_set'] as Record<string, { in_use: number; reserved: number }>
  return (lines[key]?.in_use ?? 0) + (lines[key]?.reserved ?? 0)
}

/** A volume whose copy has died with cinder-volume: Cinder says "retyping" for ever. */
async function diedInMidCopy(name: string): Promise<FleetClaim & { readonly digest: string }> {
  const claim = await fleet.claim(name, POLICY)
  const { volumeId } = claim
  // enough to copy for the copy to be caught in the middle
  await writeRandom(await fleet.image(volumeId), 192)
  const digest = await fleet.digest(volumeId)
  await fleet.annotate(name, { [FORCE]: 'cold' })
  await eventually(
    'the volume is being copied',
    async () => (await fleet.cinder.volume(volumeId))?.migration_status === 'migrating',
    120,
    20,
  )
  signal('cinder-volume', 'SIGSTOP')
  signal('cinder-volume', 'SIGKILL')
  await restart('cinder-volume')
  return { ...claim, digest }
}

describeLab('the controller, when Cinder is in trouble', () => {
  beforeAll(async () => {
    await buildController()
    await install()
    fleet = await createFleet('e2e-trouble')
    await fleet.up()
    await fleet.policy(POLICY, {
      metrics: { window: '1m' },
      migration: { cinderOptions: { retypeTimeout: 10 } },
    })
    await fleet.policy(NEVER, { migration: { cinderOptions: { migrationPolicy: 'never' } } })
    controller = await startController()
    // first of all: until it counts as stuck, the other tests are done
    stuck = await diedInMidCopy('stuck')
  })
  afterAll(async () => {
    await stopControllers()
    await restart('cinder-volume')
    await fleet.cinder.setQuota('couchestor', { [QUOTA]: -1 })
    await fleet.down()
  })

  it('holds a volume with a snapshot, says what to do, and moves it when the last snapshot goes', async () => {
    const { volumeId } = await fleet.claim('snapshotted', POLICY)
    const before = await fleet.digest(volumeId)
    await apply({
      apiVersion: 'snapshot.storage.k8s.io/v1',
      kind: 'VolumeSnapshot',
      metadata: { name: 'nightly', namespace: fleet.namespace },
      spec: {
        volumeSnapshotClassName: 'couchestor',
        source: { persistentVolumeClaimName: 'snapshotted' },
      },
    })
    const snapshot = ['-n', fleet.namespace, 'volumesnapshot/nightly']
    const ready = '--for=jsonpath={.status.readyToUse}=true'
    await kubectl(['wait', ready, '--timeout=110s', ...snapshot])
    await fleet.annotate('snapshotted', { [FORCE]: 'warm' })

    const { status } = await fleet.migrationWhen(
      'snapshotted',
      'is blocked',
      (m) => m.status?.step === 'Waiting' && m.status.reason === 'Snapshots',
    )
    const { message } = await fleet.eventWhen('snapshotted', 'MigrationBlocked')
    for (const said of [message, status?.message])
      expect(said).toContain('delete the VolumeSnapshots')
    expect(retypesOf(volumeId)).toEqual([])

    await kubectl(['delete', '--timeout=110s', ...snapshot])
    await fleet.volumeOn(volumeId, 'couchestor-warm')
    await fleet.migrationWhen('snapshotted', 'succeeds', (m) => m.status?.step === 'Succeeded')
    expect(await fleet.digest(volumeId)).toBe(before)
  })

  it('sees a silent revert, reports it, and does not ask again', async () => {
    const { volumeId } = await fleet.claim('reverted', NEVER)
    await fleet.annotate('reverted', { [FORCE]: 'cold' })
    const failed = await fleet.migrationWhen(
      'reverted',
      'is seen to be reverted',
      (m) => m.status?.step === 'Failed',
    )
    expect(failed.status).toMatchObject({ reason: 'Reverted', call: { kind: 'Accepted' } })
    const { type, message } = await fleet.eventWhen('reverted', 'MigrationReverted')
    expect(type).toBe('Warning')
    expect(message).toContain('silently put the old type back')

    // a person who asks once more gets the same answer: not now
    await fleet.annotate('reverted', { [FORCE]: 'warm' })
    await fleet.annotate('reverted', { [FORCE]: 'cold' })
    const policy = await fleet.policyWhen(NEVER, 'backs off', ({ status }) =>
      (status?.staying ?? []).some((s) => s.reason === 'BackingOff'),
    )
    expect(policy.status?.moving).toBe(0)
    expect(await fleet.migrations('reverted')).toHaveLength(1)
    expect(retypesOf(volumeId)).toHaveLength(1)
    expect((await fleet.cinder.volume(volumeId))?.volume_type).toBe('couchestor-hot')
  })

  it('waits while the quota of the target type is full, and moves when there is room', async () => {
    const { volumeId } = await fleet.claim('no-room', POLICY)
    await fleet.cinder.setQuota('couchestor', { [QUOTA]: await usedOf(QUOTA) })
    await fleet.annotate('no-room', { [FORCE]: 'cold' })
    const { status } = await fleet.migrationWhen(
      'no-room',
      'waits for quota',
      (m) =>
        m.status?.step === 'Waiting' && /^Quota(TooSmall|Exhausted)$/.test(m.status.reason ?? ''),
    )
    expect(status?.message).toContain('couchestor-cold')
    expect((await fleet.eventWhen('no-room', 'MigrationBlocked')).message).toContain('quota')
    expect(retypesOf(volumeId)).toEqual([])

    await fleet.cinder.setQuota('couchestor', { [QUOTA]: -1 })
    await fleet.volumeOn(volumeId, 'couchestor-cold')
    await fleet.migrationWhen('no-room', 'succeeds', (m) => m.status?.step === 'Succeeded')
  })

  it('moves nothing by usage while Prometheus has no series, and the policy says so', async () => {
    const claim = await fleet.claim('unseen', POLICY)
    await fleet.pod('unseen', 'unseen', claim.volumeId)
    const policy = await fleet.policyWhen(
      POLICY,
      'has no series',
      ({ status }) =>
        status?.conditions?.find((c) => c.type === 'MetricsHealthy')?.reason === 'NoSeries' &&
        (status.staying ?? []).some((s) => s.reason === 'NoData'),
      300,
    )
    const healthy = policy.status?.conditions?.find((c) => c.type === 'MetricsHealthy')
    expect(healthy?.status).toBe('False')
    const { message } = await fleet.eventWhen('unseen', 'NoData')
    expect(message).toContain('no usage numbers')
    expect(await fleet.migrations('unseen')).toEqual([])
    expect(retypesOf(claim.volumeId)).toEqual([])
    await fleet.removePod('unseen')
  })

  it('calls a move stuck when cinder-volume dies in mid-copy, keeps its hands off, and sees the repair', async () => {
    const { volumeId, digest } = stuck
    // 1 GiB gets 2 x 1024 MiB / 20 MiB/s = 102 s, however short retypeTimeout is
    const { status } = await fleet.migrationWhen(
      'stuck',
      'is stuck',
      (m) => m.status?.step === 'Stuck',
      300,
    )
    expect(status?.reason).toBe('DeadlinePassed')
    const { type, message } = await fleet.eventWhen('stuck', 'MigrationStuck')
    expect(type).toBe('Warning')
    expect(message).toContain('an administrator must check cinder-volume')
    expect((await fleet.cinder.volume(volumeId))?.status).toBe('retyping')
    expect(retypesOf(volumeId)).toHaveLength(1)
    await eventually('the gauge shows it', async () => {
      const metrics = await (await fetch(controller.metricsUrl)).text()
      return /couchestor_migrations_in_flight\{.*step="Stuck"\} 1/.test(metrics)
    })

    await fleet.cinder.resetState(volumeId, 'available', 'none')
    const repaired = await fleet.migrationWhen(
      'stuck',
      'ends with the repair',
      (m) => m.status?.step === 'Failed',
      300,
    )
    expect(repaired.status?.reason).toBe('Reverted')
    expect(retypesOf(volumeId)).toHaveLength(1)
    expect(await fleet.digest(volumeId)).toBe(digest)
  })
})
