import { expect, it } from 'vitest'
import type { HttpRequest } from '../../src/http.ts'
import type { Gate } from '../life.ts'
import { keepPromises } from './promises.ts'
import { Stage } from './stage.ts'

keepPromises()

const NEVER = new Promise<never>(() => {})
const isLease = ({ url }: HttpRequest) => url.includes('/leases/')
const isKube = ({ url }: HttpRequest) => url.startsWith('http://kube.sim')
/** The renew deadline, and the few seconds that work under way is waited for. */
const BOUND_MS = 20_000

/** A leader for which some requests are never answered, and which cannot renew its lease from some moment on. */
function leaderThatWaitsFor(hangs: (request: HttpRequest) => boolean) {
  const stage = new Stage()
  stage.policy()
  stage.claim({ name: 'idle' })
  let out = false
  let elected = false
  let waits = false
  const running = stage.start({
    gate: async (request, send) => {
      if (out && isLease(request)) return NEVER
      if (hangs(request)) {
        waits = true
        return NEVER
      }
      const answer = await send()
      if (isLease(request) && request.method === 'PUT') elected = true
      return answer
    },
  })
  return {
    stage,
    running,
    waiting: () => elected && waits,
    loseLease: () => void (out = true),
  }
}

it.each<[string, (request: HttpRequest) => boolean]>([
  ['the first list of volumes', ({ url }) => url.includes('/persistentvolumes?')],
  ['the first list of moves', ({ url }) => url.includes('/volumemigrations?')],
  ['the checkpoints', ({ url }) => url.includes('/tieringcheckpoints')],
  ['the list of volumes in Cinder', ({ url }) => url.includes('/volumes/detail')],
  ['a history query', ({ url }) => url.startsWith('http://prometheus.sim')],
  [
    'the call that starts a move',
    ({ method, url }) => method === 'POST' && url.startsWith('http://cinder.sim'),
  ],
  [
    'the status of a policy',
    ({ url, method }) => method === 'PATCH' && url.includes('/storagepolicies/tiered/status'),
  ],
  ['an event', ({ url, method }) => method === 'POST' && url.includes('/events')],
])('a leader that waits for %s ends soon after its lease is lost', async (_, hangs) => {
  const { stage, running, waiting, loseLease } = leaderThatWaitsFor(hangs)
  expect(await stage.until(waiting)).toBe(true)
  loseLease()
  await stage.clock.advance(BOUND_MS)
  expect(running.end()).toBe('lost')
})

it('when the API server hangs for both replicas, the leader ends and the standby waits', async () => {
  const stage = new Stage()
  stage.policy()
  let out = false
  const gate: Gate = (request, send) => (out && isKube(request) ? NEVER : send())
  const first = stage.start({ identity: 'first', gate })
  await stage.until(() => first.controller.ready().why === 'leading')
  const second = stage.start({ identity: 'second', gate })
  await stage.until(() => second.controller.ready().why === 'standby')
  out = true
  await stage.clock.advance(BOUND_MS)
  expect([first.end(), second.end()]).toEqual(['lost', undefined])
  out = false
  expect(await stage.until(() => second.controller.ready().why === 'leading')).toBe(true)
})

it('a leader that still reads its first lists stops at once when it is asked to', async () => {
  const { stage, running, waiting } = leaderThatWaitsFor(({ url }) =>
    url.includes('/persistentvolumes?'),
  )
  expect(await stage.until(waiting)).toBe(true)
  void running.stop()
  await stage.clock.advance(10_000)
  expect(running.end()).toBe('stopped')
})
