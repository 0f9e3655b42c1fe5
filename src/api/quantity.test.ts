import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { UserError } from '../errors.ts'
import { parseQuantity, quantityToGiB } from './quantity.ts'

function isReadOrRefused(text: string): boolean {
  try {
    return parseQuantity(text) >= 0n
  } catch (e) {
    return e instanceof UserError
  }
}

describe('parseQuantity', () => {
  it.each([
    ['0', 0n],
    ['20Gi', 20n * 1024n ** 3n],
    ['1.5Gi', 1610612736n],
    ['.5Ki', 512n],
    ['5.', 5n],
    ['1e3', 1000n],
    ['1E3', 1000n],
    ['1E', 10n ** 18n],
    ['1Ei', 1024n ** 6n],
    ['1500m', 2n],
    ['1m', 1n],
    ['1n', 1n],
    ['25e-1', 3n],
    ['128974848', 128974848n],
    ['129M', 129000000n],
    ['123Mi', 128974848n],
    ['1k', 1000n],
    ['9007199254740993', 9007199254740993n],
  ])('reads %s as %d bytes', (text, bytes) => {
    expect(parseQuantity(text)).toBe(bytes)
  })

  it.each([
    '',
    '.',
    'Gi',
    '-1',
    '+1',
    '1 Gi',
    '1gi',
    '1K',
    '1KB',
    '1Gib',
    '0x10',
    '1e',
    '1e3Gi',
    '1,5Gi',
    'NaN',
    'Infinity',
    '1_000',
    '１Gi',
  ])('refuses %j and shows how to write it', (text) => {
    expect(() => parseQuantity(text)).toThrow(UserError)
    expect(() => parseQuantity(text)).toThrow(/is no quantity: write .* 20Gi/)
  })

  it('agrees with plain arithmetic for every whole number and suffix', () => {
    const suffixes = {
      k: 10n ** 3n,
      M: 10n ** 6n,
      Ki: 1024n,
      Mi: 1024n ** 2n,
      Gi: 1024n ** 3n,
      Ti: 1024n ** 4n,
    }
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(...Object.entries(suffixes)), (n, [suffix, factor]) => {
        expect(parseQuantity(`${n}${suffix}`)).toBe(BigInt(n) * factor)
      }),
    )
  })

  it('rounds up by less than one byte', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 0, max: 999 }), (n, thousandths) => {
        const bytes = parseQuantity(`${n}.${String(thousandths).padStart(3, '0')}Ki`)
        const exact = (BigInt(n) * 1000n + BigInt(thousandths)) * 1024n
        expect(bytes * 1000n - exact).toBeGreaterThanOrEqual(0n)
        expect(bytes * 1000n - exact).toBeLessThan(1000n)
      }),
    )
  })

  it('reads any text or says UserError, nothing else', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(isReadOrRefused(text)).toBe(true)
      }),
    )
  })
})

describe('quantityToGiB', () => {
  it.each([
    ['1Gi', 1],
    ['1025Mi', 2],
    ['1G', 1],
    ['10G', 10],
    ['1', 1],
    ['0', 0],
    ['2Ti', 2048],
  ])('rounds %s up to %d GiB, as Cinder does', (text, gib) => {
    expect(quantityToGiB(text)).toBe(gib)
  })
})
