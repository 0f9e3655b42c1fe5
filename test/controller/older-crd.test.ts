import { expect, it } from 'vitest'
import { HOUR, Stage } from './stage.ts'

it('an API server that keeps only the fields of 0.1.0 of an intent holds up no move', async () => {
  const stage = new Stage()
  stage.policy()
  const volume = stage.claim({ name: 'data', sizeGiB: 10 })
  stage.start({
    gate: (request, send) => {
      if (request.method === 'PATCH' && request.url.includes('/volumemigrations/'))
        Object.assign(request, { body: pruned(request.body) })
      return send()
    },
  })
  expect(await stage.until(() => stage.ends('data')[0] === 'Succeeded/Verified', HOUR)).toBe(true)
  expect(stage.moves('data')[0]?.status?.intent).not.toHaveProperty('migration')
  expect(stage.retypes(volume)).toBe(1)
})

/** CustomResourceDefinitions are applied apart, and may be older: what they do not name is dropped. */
function pruned(body: unknown): string {
  const patch = JSON.parse(String(body)) as { status?: { intent?: Record<string, unknown> } }
  delete patch.status?.intent?.['migration']
  delete patch.status?.intent?.['projectId']
  return JSON.stringify(patch)
}
