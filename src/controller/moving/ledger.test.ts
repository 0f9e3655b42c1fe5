import { describe, expect, it } from 'vitest'
import type { TieringCheckpoint } from '../../api/tiering-checkpoint.ts'
import { ApiError, LostLeaseError } from '../../kube/types.ts'
import type { KubeClient } from '../../kube/types.ts'
import { Ledger } from './ledger.ts'

const entry = (volumeId: string) => ({
  namespace: 'default',
  migration: `m-${volumeId}`,
  volumeId,
  fromTypeId: 'old',
  toTypeId: 'new',
  at: '2026-01-20T12:00:00.000Z',
})

const halt = (uid: string) => ({ ...entry(uid), uid, policy: 'tiered' })

/** One object with versions; the next write fails when `failure` is set. */
function server() {
  const state = {
    object: undefined as TieringCheckpoint | undefined,
    version: 0,
    failure: undefined as Error | undefined,
    leads: true,
  }
  const store = (spec: object) => {
    if (state.failure !== undefined) {
      const { failure } = state
      state.failure = undefined
      throw failure
    }
    const object = {
      ...state.object,
      metadata: { name: 'moves-in-flight', resourceVersion: String(++state.version) },
      spec: { ...state.object?.spec, ...spec },
    } as TieringCheckpoint
    state.object = object
    return object
  }
  const client = {
    get: () =>
      state.object === undefined
        ? Promise.reject(new ApiError(404, 'NotFound', 'not found'))
        : Promise.resolve(state.object),
    create: (_: unknown, object: TieringCheckpoint) =>
      settled(() => {
        if (state.object !== undefined) throw new ApiError(409, 'AlreadyExists', 'exists')
        return store(object.spec)
      }),
    patch: (_: unknown, __: string, body: TieringCheckpoint) =>
      settled(() => {
        if (body.metadata.resourceVersion !== String(state.version))
          throw new ApiError(409, 'Conflict', 'stale')
        return store(body.spec)
      }),
  } as unknown as KubeClient
  const fence = () => {
    if (!state.leads) throw new LostLeaseError('we do not lead')
  }
  const ids = () => (state.object?.spec.inFlight ?? []).map((e) => e.volumeId)
  return { state, ids, store, ledger: () => new Ledger(client, fence) }
}

function settled<T>(work: () => T): Promise<T> {
  return Promise.resolve().then(work)
}

describe('the ledger of moves in flight', () => {
  it('is written over when somebody breaks it while it is known', async () => {
    const { state, ids, store, ledger } = server()
    const ours = ledger()
    await ours.load()
    await ours.put(entry('a'))
    store({ inFlight: [{ volumeId: 5 }] })
    await ours.put(entry('b'))
    expect(ids()).toEqual(['a', 'b'])

    state.object = { ...state.object!, spec: { ...state.object!.spec, inFlight: 'x' as never } }
    await expect(ledger().load()).rejects.toThrow('spec.inFlight is "x"')
  })

  it('holds what was put until it is removed, across restarts', async () => {
    const { ids, ledger } = server()
    const first = ledger()
    await first.load()
    await Promise.all([first.put(entry('a')), first.put(entry('b'))])
    expect(ids()).toEqual(['a', 'b'])

    const second = ledger()
    await second.load()
    expect(second.entries().map((e) => e.volumeId)).toEqual(['a', 'b'])
    await second.remove('a')
    expect(ids()).toEqual(['b'])
  })

  it('removes on the second try what could not be removed on the first', async () => {
    const { state, ids, ledger } = server()
    const one = ledger()
    await one.load()
    await one.put(entry('a'))
    state.failure = new Error('the API server is away')
    await expect(one.remove('a')).rejects.toThrow('away')
    expect(ids()).toEqual(['a'])
    await one.remove('a')
    expect(ids()).toEqual([])
  })

  it('writes over what an earlier leader wrote late', async () => {
    const { ids, store, ledger } = server()
    const one = ledger()
    await one.load()
    await one.put(entry('a'))
    store({ inFlight: [entry('late')] })
    await one.put(entry('b'))
    expect(ids()).toEqual(['a', 'b'])
  })

  it('writes nothing once the lease is lost', async () => {
    const { state, ids, ledger } = server()
    const one = ledger()
    await one.load()
    await one.put(entry('a'))
    state.leads = false
    await expect(one.remove('a')).rejects.toThrow(LostLeaseError)
    expect(ids()).toEqual(['a'])
  })

  it('keeps a halt from before it could be read, beside what an earlier leader has left', async () => {
    const { state, store, ledger } = server()
    const halts = () => (state.object?.spec.unexplained ?? []).map((h) => h.uid)
    store({ inFlight: [entry('a')], unexplained: [halt('old')] })
    const one = ledger()
    await expect(one.halt(halt('new'))).rejects.toThrow('not read yet')
    await expect(one.lift(halt('new'))).rejects.toThrow('not read yet')
    await one.load()
    await one.halt(halt('new'))
    expect(halts()).toEqual(['old', 'new'])
    await one.lift(halt('old'))
    expect(halts()).toEqual(['new'])
  })

  it('does not lift what the API server still has', async () => {
    const { state, ledger } = server()
    const one = ledger()
    await one.load()
    await one.halt(halt('a'))
    state.failure = new Error('the API server is away')
    await expect(one.lift(halt('a'))).rejects.toThrow('away')
    expect(one.halts().map((h) => h.uid)).toEqual(['a'])
  })
})
