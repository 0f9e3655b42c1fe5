import { describe, expect, it } from 'vitest'
import type { Clock } from '../../clock.ts'
import { answered, intended, withEntry } from '../../migration/snapshot-restore/saved.ts'
import type { ReplaceAct, ReplaceAnswer, Saved } from '../../migration/snapshot-restore/saved.ts'
import type { ReplacementRecord } from '../moving/recorded-strategy.ts'
import { Moments } from './moments.ts'

const DELETION = { act: 'deleteSnapshot', id: 'snapshot' } as const satisfies ReplaceAct
const CALL = { requestId: 'r', at: '2026-01-20T10:00:00Z' }
const MINUTE = 60_000

/** A move that clears away, followed as the leader does. */
function followed() {
  let ms = 0
  const clock = { now: () => ms, monotonic: () => ms, boot: () => ms } as unknown as Clock
  const moments = new Moments(clock)
  const origin = {} as Saved['origin']
  let saved: Saved = { phase: 'CleaningUp', origin, journal: [], deadline: 0 }
  const record = () =>
    ({ move: { uid: 'u' }, intent: { at: CALL.at }, saved }) as unknown as ReplacementRecord
  const save = (next: Saved) => {
    const before = saved
    saved = next
    moments.saved(record(), before)
  }
  moments.of(record())
  return {
    moments,
    record,
    save,
    saved: () => saved,
    pass: (passed: number) => void (ms += passed),
    call: (answer: ReplaceAnswer) => {
      save(intended(saved, DELETION, CALL))
      save(answered(saved, answer))
    },
    stalledMs: () => ms - moments.of(record()).progressAt,
  }
}

describe('a replacement', () => {
  it.each<[string, ReplaceAnswer]>([
    ['that is refused', { kind: 'Rejected', httpStatus: 403, message: 'no' }],
    ['that Cinder accepts and does not carry out', { kind: 'Accepted' }],
    ['without an answer', { kind: 'Unknown', message: 'torn' }],
  ])('gets no further by repeating a call %s', (_, answer) => {
    const move = followed()
    move.call(answer)
    for (let minutes = 0; minutes < 20; minutes++) {
      move.pass(MINUTE)
      move.call(answer)
    }
    expect(move.stalledMs()).toBe(20 * MINUTE)
  })

  it('gets further when what it deletes has gone', () => {
    const move = followed()
    move.call({ kind: 'Accepted' })
    move.pass(MINUTE)
    move.call({ kind: 'Accepted' })
    move.pass(MINUTE)
    const made = { act: 'createSnapshot', attempts: 2, requestId: 'r', at: '', id: 's' } as const
    move.save(withEntry(move.saved(), { ...made, state: 'Done' }))
    move.save(withEntry(move.saved(), { ...made, state: 'Gone' }))
    expect(move.stalledMs()).toBe(0)
  })

  it('is not stalled while Cinder copies a large volume', () => {
    const move = followed()
    const copied = { kind: 'wait', ms: 0, why: 'the copy is "retyping"' } as const
    move.pass(3 * 60 * MINUTE)
    move.moments.toConfirm(move.record(), { ...copied, isCopied: true })
    expect(move.stalledMs()).toBe(0)
    move.pass(11 * MINUTE)
    move.moments.toConfirm(move.record(), copied)
    expect(move.stalledMs()).toBe(11 * MINUTE)
  })
})
