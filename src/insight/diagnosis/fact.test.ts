import { describe, expect, it } from 'vitest'
import { createVirtualClock } from '../../../test/virtual-clock.ts'
import { ApiError } from '../../kube/types.ts'
import { attempt, following, known, unknown } from './fact.ts'

describe('a read', () => {
  it('that takes too long is given up, and says so', async () => {
    const clock = createVirtualClock()
    let ended = false
    const fact = attempt({ clock, timeoutMs: 5000 }, (signal) => {
      signal.addEventListener('abort', () => (ended = true))
      return new Promise(() => {})
    })
    await clock.advance(5000)
    expect(await fact).toEqual(unknown('no answer within 5 s'))
    expect(ended).toBe(true)
    expect(clock.pending).toBe(0)
  })

  it('that throws becomes a reason, and leaves no timer', async () => {
    const clock = createVirtualClock()
    const limits = { clock, timeoutMs: 5000 }
    expect(await attempt(limits, () => Promise.reject(new Error('boom')))).toEqual(unknown('boom'))
    const refusal = new ApiError(403, 'Forbidden', 'no')
    expect(await attempt(limits, () => Promise.reject(refusal))).toEqual(unknown('no', true))
    await clock.settle()
    expect(clock.pending).toBe(0)
  })

  it('that needs another one is not made without it', async () => {
    const limits = { clock: createVirtualClock(), timeoutMs: 5000 }
    const first = unknown('down')
    expect(await following(limits, first, () => Promise.resolve(1))).toBe(first)
    const second = await following(limits, known(2), (n) => Promise.resolve(n + 1))
    expect(second).toEqual(known(3))
  })
})
