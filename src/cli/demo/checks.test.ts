import { expect, it } from 'vitest'
import { createVirtualClock } from '../../../test/virtual-clock.ts'
import type { VolumeMigrationStatus } from '../../api/volume-migration.ts'
import { createClient } from '../../sim/cloud/test-client.ts'
import { checks, Contents } from './checks.ts'
import { openStage } from './stage.ts'
import type { Stage } from './stage.ts'

const KEY = 'shop/vouchers'
const ENDED = { step: 'Succeeded', reason: 'Verified' } as const
const NEVER_SENT = { step: 'Failed', reason: 'StaleIntent' } as const

/** A move of the claim, and the calls of that id that Cinder has got for it. */
type Attempt = { readonly status: VolumeMigrationStatus; readonly calls: number }

/** The claims with another number of retypes than they should have, after these attempts. */
async function miscounted(attempts: readonly Attempt[]): Promise<readonly string[] | undefined> {
  const clock = createVirtualClock()
  const stage = await openStage({ day: clock, dayStart: clock.now(), clock, port: undefined })
  try {
    const { cloud } = stage.world
    const member = createClient(cloud, cloud.seams.couchestor)
    const retype = { 'os-retype': { new_type: 'couchestor-warm', migration_policy: 'on-demand' } }
    const path = `/volumes/${stage.actor(KEY).volume.id}/action`
    for (const [i, { status, calls }] of attempts.entries()) {
      seedMove(stage, `req-${i}`, status)
      const headers = { 'x-openstack-request-id': `req-${i}` }
      for (let n = 0; n < calls; n++) await member('POST', path, retype, headers)
    }
    return checks(stage, new Contents(stage)).find((c) => c.what.includes('none twice'))?.wrong
  } finally {
    await stage.close()
  }
}

function seedMove(stage: Stage, requestId: string, status: VolumeMigrationStatus): void {
  stage.world.api.seed({
    apiVersion: 'couchestor.io/v1alpha1',
    kind: 'VolumeMigration',
    metadata: { name: requestId, namespace: 'shop' },
    spec: { claim: { name: 'vouchers' }, to: 'warm', policy: 'tiering' },
    status: { startedAt: '2026-01-01T11:34:00Z', intent: { requestId }, ...status },
  })
}

it.each<[string, readonly Attempt[], readonly string[]]>([
  ['one call for one move is right', [{ status: ENDED, calls: 1 }], []],
  [
    'none for a move whose controller was killed before the call is right, and so is the next move',
    [
      { status: NEVER_SENT, calls: 0 },
      { status: ENDED, calls: 1 },
    ],
    [],
  ],
  ['two calls for one move are not', [{ status: ENDED, calls: 2 }], [KEY]],
  ['none for a move that has ended well is not', [{ status: ENDED, calls: 0 }], [KEY]],
])('%s', async (_, attempts, wrong) => {
  expect(await miscounted(attempts)).toEqual(wrong)
})
