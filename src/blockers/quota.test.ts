import { describe, expect, it } from 'vitest'
import { quota } from './quota.ts'
import type { TypeQuota } from './quota.ts'

const of = (limit: number, inUse = 0, reserved = 0, key = 'gigabytes_cold'): TypeQuota => ({
  key,
  limit,
  inUse,
  reserved,
})
const ask = (...quotas: TypeQuota[]) => quota({ quotas, sizeGiB: 10 })

describe('the quota of the target type', () => {
  it.each([
    ['has exactly the room', [of(30, 20)]],
    ['is unlimited', [of(-1, 500)]],
    ['cannot be read', []],
  ])('holds nothing back when it %s', (_, quotas) => {
    expect(ask(...quotas)).toBeUndefined()
  })

  it.each([
    ['in use', of(29, 20), '9 of 29 left (20 in use, 0 reserved)', 'raise it to at least 30'],
    ['reserved by moves under way', of(30, 11, 10), '9 of 30 left', 'raise it to at least 31'],
    ['overdrawn', of(30, 50), '0 of 30 left', 'raise it to at least 60'],
  ])('is exhausted when too much of it is %s', (_, line, left, fix) => {
    expect(ask(line)).toMatchObject({ reason: 'QuotaExhausted' })
    expect(ask(line)?.message).toContain(left)
    expect(ask(line)?.message).toContain(fix)
  })

  it('is too small when no emptier type would make room, and says what it takes', () => {
    const block = ask(of(9, 5, 1))
    expect(block).toMatchObject({ reason: 'QuotaTooSmall' })
    expect(block?.message).toContain('to at least 16')
  })

  it('counts volumes as well as GiB', () => {
    expect(ask(of(-1), of(3, 3, 0, 'volumes_cold'))).toMatchObject({ reason: 'QuotaExhausted' })
    expect(ask(of(-1), of(0, 0, 0, 'volumes_cold'))).toMatchObject({ reason: 'QuotaTooSmall' })
  })
})
