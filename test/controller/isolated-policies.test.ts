import { expect, it } from 'vitest'
import type { HttpRequest } from '../../src/http.ts'
import { createRegistry } from '../../src/metrics.ts'
import { answer } from './answer.ts'
import { HOUR, Stage } from './stage.ts'

/** Two policies with one idle claim each; some requests about the first are refused. */
function twoPolicies(refused: (request: HttpRequest) => boolean) {
  const stage = new Stage()
  for (const name of ['bad', 'good'])
    stage.policy({ selector: { matchLabels: { of: name } } }, name)
  const bad = stage.claim({ name: 'of-bad', labels: { of: 'bad' } })
  const good = stage.claim({ name: 'of-good', labels: { of: 'good' } })
  const registry = createRegistry()
  const seen = { refused: 0, off: false }
  stage.start({
    registry,
    gate: (request, send) => {
      if (seen.off || !refused(request)) return send()
      seen.refused++
      return Promise.resolve(answer(403, `refused for a test, request ${seen.refused}`))
    },
  })
  return { stage, bad, good, seen, registry }
}

it('a policy whose status cannot be written works, is tried with growing pauses, and keeps no other waiting', async () => {
  const { stage, bad, good, seen, registry } = twoPolicies(
    ({ method, url }) => method === 'PATCH' && url.includes('/storagepolicies/bad/status'),
  )
  expect(
    await stage.until(() => stage.tier(bad) === 'cold' && stage.tier(good) === 'cold', HOUR),
  ).toBe(true)
  expect(stage.condition('Ready', 'good')?.status).toBe('True')
  await stage.clock.advance(HOUR)
  expect(stage.policyStatus('bad')).toEqual({})
  expect(seen.refused).toBeGreaterThan(3)
  expect(seen.refused).toBeLessThan(20)
  expect(stage.events('bad')).toContain('WriteRefused')
  const metric = 'couchestor_writes_refused{resource="storagepolicies/status"}'
  expect(await registry.metrics()).toContain(`${metric} 1`)

  seen.off = true
  expect(await stage.until(() => stage.condition('Ready', 'bad') !== undefined, HOUR)).toBe(true)
  expect(await registry.metrics()).toContain(`${metric} 0`)
})

it.each([
  ['the costs that a policy compares with', 'GET', '/tieringcheckpoints/bad.shadow'],
  ['the checkpoint of a policy', 'PATCH', '/tieringcheckpoints/bad-0'],
])('when %s cannot be read or written, it and all others go on moving', async (_, method, path) => {
  const { stage, bad, good, seen } = twoPolicies(
    (request) => request.method === method && request.url.includes(path),
  )
  expect(
    await stage.until(() => stage.tier(bad) === 'cold' && stage.tier(good) === 'cold', HOUR),
  ).toBe(true)
  await stage.clock.advance(2 * HOUR)
  expect(seen.refused).toBeGreaterThan(0)
  const saved = stage.world.api.objects('/apis/couchestor.io/v1alpha1/tieringcheckpoints')
  expect(saved.map((o) => o.metadata.name)).toContain('good-0')
})
