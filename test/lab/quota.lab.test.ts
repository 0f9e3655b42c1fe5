import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Usage } from './cinder-admin.ts'
import { actionsOn } from './cinder-log.ts'
import { buildController, startController, stopControllers } from './controller-process.ts'
import { describeLab } from './describe-lab.ts'
import { eventually } from './eventually.ts'
import { createFleet } from './fleet.ts'
import type { Fleet } from './fleet.ts'
import { install } from './install.ts'

const POLICY = 'e2e-quota'
const PRIVATE = 'e2e-quota-private'
const TYPE = 'e2e-quota-private'
const FORCE = 'couchestor.io/force-tier'
const WARM = 'volumes_couchestor-warm'

let fleet: Fleet
let typeId: string

const reserved = (usage: Readonly<Record<string, Usage>>) =>
  Object.fromEntries(
    Object.entries(usage)
      .filter(([key]) => key.includes('_couchestor-') || key.endsWith(TYPE))
      .map(([key, { reserved }]) => [key, reserved]),
  )

describeLab('the controller, where Cinder limits what a project may have', () => {
  beforeAll(async () => {
    await buildController()
    await install()
    fleet = await createFleet('e2e-quota')
    await fleet.up()
    await fleet.cinder.deleteType(TYPE)
    typeId = await fleet.cinder.privateType(TYPE, 'warm')
    await fleet.cinder.setAccess(typeId, 'couchestor', true)
    await fleet.policy(POLICY, {})
    await fleet.policy(PRIVATE, {
      tiers: [
        { name: 'hot', cinderVolumeType: 'couchestor-hot', iopsThreshold: 100 },
        { name: 'private', cinderVolumeType: TYPE, iopsThreshold: 0 },
      ],
    })
  })
  afterAll(async () => {
    await stopControllers()
    await fleet.cinder.setQuota('couchestor', { [WARM]: -1 })
    await fleet.down()
    await fleet.cinder.deleteType(TYPE)
  })

  it('asks for nothing while the project may not see the type that a volume goes to, or comes from', async () => {
    const { volumeId } = await fleet.claim('private', PRIVATE)
    const digest = await fleet.digest(volumeId)
    await startController()
    await fleet.policyWhen(PRIVATE, 'is ready', ({ status }) =>
      (status?.conditions ?? []).some((c) => c.type === 'Ready' && c.status === 'True'),
    )
    for (const [tier, type] of [
      ['private', TYPE],
      ['hot', 'couchestor-hot'],
    ] as const) {
      const before = actionsOn(volumeId).length
      await fleet.cinder.setAccess(typeId, 'couchestor', false)
      const held = reserved(await fleet.cinder.usage('couchestor'))
      await fleet.annotate('private', { [FORCE]: tier })
      const open = await eventually(`a move to ${tier} waits for access`, async () =>
        (await fleet.migrations('private')).find(
          (m) => m.status?.step === 'Waiting' && m.status.reason === 'TypeNotAccessible',
        ),
      )
      expect(open.status?.message).toContain('access')
      expect(actionsOn(volumeId)).toHaveLength(before)
      expect(reserved(await fleet.cinder.usage('couchestor'))).toEqual(held)
      await fleet.cinder.setAccess(typeId, 'couchestor', true)
      await fleet.volumeOn(volumeId, type, 400)
    }
    expect(await fleet.digest(volumeId)).toBe(digest)
  })

  it('starts one of two moves where there is room for one, and the other when there is room', async () => {
    const claims = [await fleet.claim('first', POLICY), await fleet.claim('second', POLICY)]
    const used = (await fleet.cinder.usage('couchestor'))[WARM]
    const most = (used?.in_use ?? 0) + (used?.reserved ?? 0) + 1
    await fleet.cinder.setQuota('couchestor', { [WARM]: most })
    await Promise.all(claims.map(({ name }) => fleet.annotate(name, { [FORCE]: 'warm' })))

    const waiting = await eventually('one of the two waits for quota', async () => {
      const moves = await Promise.all(claims.map(({ name }) => fleet.migrations(name)))
      return moves.flat().find((m) => m.status?.reason === 'QuotaExhausted')
    })
    const [other, moved] = claims.toSorted((a) => (a.name === waiting.spec.claim.name ? -1 : 1))
    expect(waiting.status?.message).toContain(WARM)
    await fleet.volumeOn(moved?.volumeId ?? '', 'couchestor-warm')
    // not even refused: it was not asked for
    expect(actionsOn(other?.volumeId ?? '')).toEqual([])

    await fleet.cinder.setQuota('couchestor', { [WARM]: -1 })
    await fleet.volumeOn(other?.volumeId ?? '', 'couchestor-warm', 400)
    for (const { name } of claims)
      await fleet.migrationWhen(name, 'succeeds', (m) => m.status?.step === 'Succeeded')
  })

  it("moves no other project's volume with an administrator's credential", async () => {
    const { volumeId } = await fleet.claim('foreign', POLICY)
    await stopControllers()
    const held = reserved(await fleet.cinder.usage('couchestor'))
    // an administrator sees the pools, and the lab's are smaller than what the guide's config wants to stay free in them
    const tiers = { warm: { cinder_volume_type: 'couchestor-warm', iops_threshold: 10 } }
    const controller = await startController({ cloud: 'admin', config: { tiers } })
    await controller.logged('leading')
    // an administrator's list has the own project's volumes only: it is a change of the claim that has this one read
    await fleet.annotate('foreign', { [FORCE]: 'warm' })
    const { status } = await fleet.migrationWhen(
      'foreign',
      'is refused for its project',
      (m) => m.status?.step === 'Waiting' && m.status.reason === 'OtherProject',
    )
    expect(status?.message).toContain('project')
    expect((await fleet.eventWhen('foreign', 'MigrationBlocked')).message).toContain('project')
    expect(actionsOn(volumeId)).toEqual([])
    expect(reserved(await fleet.cinder.usage('couchestor'))).toEqual(held)
  })
})
