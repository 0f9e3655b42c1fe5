import { expect, it } from 'vitest'
import type { HttpResponse } from '../../src/http.ts'
import { HOUR, MINUTE, Stage } from './stage.ts'

const MOVES = '/apis/couchestor.io/v1alpha1/namespaces/default/volumemigrations'
const POLICIES = '/apis/couchestor.io/v1alpha1/storagepolicies'

/** A busy volume that the policy leaves where it is, and a controller that can be cut off from one resource. */
function busy(spec: object) {
  const stage = new Stage()
  stage.policy(spec)
  const volume = stage.claim({ name: 'data', iops: 3000 })
  const deafness = deaf(stage)
  return { stage, volume, ...deafness }
}

/** `cutOff` ends the watch of a resource and answers its lists and watches with 503 until `hears`, which finds no history. */
function deaf(stage: Stage) {
  let resource: string | undefined
  stage.start({
    gate: (request, send) =>
      resource !== undefined &&
      request.method === 'GET' &&
      new URL(request.url).pathname.endsWith(`/${resource}`)
        ? Promise.resolve(UNAVAILABLE)
        : send(),
  })
  return {
    cutOff: (plural: string) => {
      resource = plural
      stage.world.api.cutWatches('expired', plural)
    },
    hears: () => {
      stage.world.api.compact()
      resource = undefined
    },
  }
}

const UNAVAILABLE: HttpResponse = {
  status: 503,
  headers: {},
  text: () => Promise.resolve(''),
  chunks: async function* () {},
}
const BY_HAND = { claim: { name: 'data' }, to: 'cold' }

it('a move that is deleted and created again while the watch is expired runs', async () => {
  const { stage, volume, cutOff, hears } = busy({ mode: 'Observe' })
  await stage.clock.advance(MINUTE)
  stage.move('by-hand', BY_HAND)
  // the step is written, but the watch never shows it
  await stage.until(() => stage.moves().length === 1 && stage.world.api.openWatches > 0)
  cutOff('volumemigrations')
  expect(await stage.until(() => stage.ends('data')[0] === 'Waiting/Observe')).toBe(true)
  await stage.remove(`${MOVES}/by-hand`)
  stage.move('by-hand', { ...BY_HAND, to: 'warm' })
  hears()
  stage.policy({ mode: 'Auto' })

  expect(await stage.until(() => stage.tier(volume) === 'warm')).toBe(true)
  expect(stage.retypes(volume)).toBe(1)
})

it('a policy that is deleted and created again while the watch is expired is read again', async () => {
  const { stage, cutOff, hears } = busy({ mode: 'Approve' })
  await stage.until(() => stage.condition('Ready')?.message === 'mode Approve')
  cutOff('storagepolicies')
  await stage.remove(`${POLICIES}/tiered`)
  // a new object begins at generation 1, as the old one did
  stage.policy({ mode: 'Observe' })
  hears()
  expect(await stage.until(() => stage.condition('Ready')?.message === 'mode Observe')).toBe(true)
})

/** A move of an idle volume that waits for approval; the answer to its first status write is held back. */
async function withLateAnswer() {
  const late = Promise.withResolvers<void>()
  const stage = new Stage()
  stage.policy({ mode: 'Approve' })
  const volume = stage.claim({ name: 'idle' })
  let held = false
  stage.start({
    gate: async (request, send) => {
      const answer = await send()
      const isStatus = request.method === 'PATCH' && /volumemigrations\/.*status/.test(request.url)
      if (!isStatus || held) return answer
      held = true
      await late.promise
      return answer
    },
  })
  await stage.until(() => held)
  return { stage, volume, late }
}

it('a status answer that comes after the object was deleted leaves no move that others wait for', async () => {
  const { stage, volume, late } = await withLateAnswer()
  await stage.remove(`${MOVES}/${stage.moves()[0]?.metadata.name}`)
  await stage.clock.advance(5_000)
  late.resolve()
  await stage.clock.advance(5_000)
  stage.move('by-hand', { claim: { name: 'idle' }, to: 'warm' })
  expect(await stage.until(() => stage.tier(volume) === 'warm')).toBe(true)
})

it('nor one that comes after another object has taken the name', async () => {
  const { stage, volume, late } = await withLateAnswer()
  const name = stage.moves()[0]?.metadata.name ?? ''
  await stage.remove(`${MOVES}/${name}`)
  stage.move(name, { claim: { name: 'idle' }, to: 'warm' })
  await stage.clock.advance(5_000)
  late.resolve()
  expect(await stage.until(() => stage.tier(volume) === 'warm')).toBe(true)
  expect(stage.retypes(volume)).toBe(1)
})

it('a move that came and went while nobody watched holds no place', async () => {
  const stage = new Stage()
  stage.policy({ mode: 'Approve' })
  const volume = stage.claim({ name: 'idle' })
  const { cutOff, hears } = deaf(stage)
  await stage.clock.advance(5_000)
  cutOff('volumemigrations')
  await stage.until(() => stage.moves().length === 1, HOUR)
  await stage.remove(`${MOVES}/${stage.moves()[0]?.metadata.name}`)
  hears()
  await stage.clock.advance(MINUTE)
  stage.move('by-hand', { claim: { name: 'idle' }, to: 'warm' })
  expect(await stage.until(() => stage.tier(volume) === 'warm')).toBe(true)
})
