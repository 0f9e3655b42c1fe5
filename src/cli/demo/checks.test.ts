import { expect, it } from 'vitest'
import { createVirtualClock } from '../../../test/virtual-clock.ts'
import type { VolumeMigrationStatus } from '../../api/volume-migration.ts'
import { createHttpClient } from '../../http.ts'
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
    const cinder = await login(stage)
    for (const [i, { status, calls }] of attempts.entries()) {
      seedMove(stage, `req-${i}`, status)
      for (let n = 0; n < calls; n++) await cinder.retype(`req-${i}`)
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

async function login({ world, urls, actor }: Stage) {
  const http = createHttpClient()
  const { id, secret } = world.cloud.seams.operator
  const identity = { methods: ['application_credential'], application_credential: { id, secret } }
  const post = (url: string, body: object, headers: Readonly<Record<string, string>> = {}) =>
    http.request({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  const answer = await post(`${urls.identity}/v3/auth/tokens`, { auth: { identity } })
  const { token } = JSON.parse(await answer.text()) as { token: { project: { id: string } } }
  const volume = `${urls.volume}/v3/${token.project.id}/volumes/${actor(KEY).volume.id}`
  return {
    retype: async (requestId: string) => {
      const headers = {
        'x-auth-token': answer.headers['x-subject-token'] ?? '',
        'x-openstack-request-id': requestId,
      }
      const retype = { new_type: 'couchestor-warm', migration_policy: 'on-demand' }
      await (await post(`${volume}/action`, { 'os-retype': retype }, headers)).text()
    },
  }
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
