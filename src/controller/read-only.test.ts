import { expect, it } from 'vitest'
import { readOnly } from './read-only.ts'
import type { ReadingDeps } from './read-only.ts'

/** Anything that is called is remembered by its name. */
function recording(called: string[]): ReadingDeps {
  const any = (room: string) =>
    new Proxy(
      {},
      { get: (_, name) => () => Promise.resolve(void called.push(`${room}.${String(name)}`)) },
    )
  return { kube: any('kube'), volumes: any('volumes') } as unknown as ReadingDeps
}

it('passes on what reads', async () => {
  const called: string[] = []
  const { kube, volumes } = readOnly(recording(called))
  await kube.list({} as never)
  await kube.get({} as never, 'x')
  await volumes.getVolume('x')
  await volumes.getQuota()
  expect(called).toEqual(['kube.list', 'kube.get', 'volumes.getVolume', 'volumes.getQuota'])
})

it('refuses every write, and an office to write in, before anything is sent', async () => {
  const called: string[] = []
  const { kube, volumes, elector } = readOnly(recording(called))
  const writes = [
    kube.create({} as never, {} as never),
    kube.patch({} as never, 'x', {}, { type: 'merge' }),
    kube.replace({} as never, {} as never),
    kube.delete({} as never, 'x'),
    volumes.retype({} as never, {} as never, () => Promise.resolve(undefined)),
  ]
  for (const write of writes) await expect(write).rejects.toThrow('only reads')
  expect(() => elector.fence()).toThrow('only reads')
  expect(called).toEqual([])
})
