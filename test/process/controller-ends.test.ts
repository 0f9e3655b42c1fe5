import { expect, it } from 'vitest'
import { runController } from './controller-process.ts'
import type { ControllerRun, Health } from './controller-process.ts'

/** The renew deadline of ten seconds, the eight after which the process gives up waiting, and a busy machine. */
const BOUND_MS = 40_000

async function ending(
  trouble: (c: ControllerRun) => void,
  options: { cloud?: Health; until?: string } = {},
): Promise<number | null | 'alive'> {
  const controller = await runController(options)
  try {
    await controller.logged(options.until ?? 'leading')
    trouble(controller)
    return await controller.exit(BOUND_MS)
  } finally {
    await controller.close()
  }
}

it.concurrent.each<[string, (c: ControllerRun) => void, { cloud?: Health; until?: string }]>([
  ['the API server accepts requests and never answers', (c) => c.api('hanging'), {}],
  ['the API server answers 500', (c) => c.api('failing'), {}],
  [
    'another replica has taken the lease while Cinder and Prometheus never answer',
    (c) => c.stealLease(),
    { cloud: 'hanging', until: 'leadership acquired' },
  ],
])('a leader that loses its lease exits with 1 when %s', async (_, trouble, options) => {
  expect(await ending(trouble, options)).toBe(1)
})

it.concurrent('a leader that is asked to stop releases its lease and exits with 0', async () => {
  expect(await ending((c) => c.signal('SIGTERM'))).toBe(0)
})
