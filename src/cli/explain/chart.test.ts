import { describe, expect, it } from 'vitest'
import { chart } from './chart.ts'
import type { Point } from './chart.ts'

const START = Date.UTC(2026, 0, 20) / 1000
const points = (iops: readonly (number | undefined)[]): Point[] =>
  iops.map((value, i) => ({ endSeconds: START + 3600 * (i + 1), iops: value }))

describe('the chart of a volume', () => {
  it('is as high as the usage, with gaps as dots and what a tier serves as a line', () => {
    expect(chart(points([0, 100, undefined, 800, 400]), [{ name: 'cold', iops: 300 }])).toBe(
      [
        '     800 │   █',
        '         │   █',
        '         │   █',
        '         │   █',
        '     400 │   ██',
        'cold 300 │┄┄┄██',
        '         │   ██',
        '         │ █·██',
        '       0 └─────',
        '          01-20',
      ].join('\n'),
    )
  })

  it('never shows a gap as zero, nor use as nothing', () => {
    const ground = (iops: readonly (number | undefined)[]) =>
      chart(points(iops), []).split('\n')[7]?.split('│')[1]
    expect(ground([undefined, 1000])).toBe('·█')
    expect(ground([0, 1000])).toBe(' █')
    expect(ground([1, 1000])).toBe('▁█')
  })

  it('names the days under the first hour of each', () => {
    const days = chart(points(new Array<number>(50).fill(1)), [])
      .split('\n')
      .at(-1)
    expect(days?.trim().split(/\s+/)).toEqual(['01-20', '01-21', '01-22'])
  })

  it('names no level above the picture', () => {
    expect(chart(points([5]), [{ name: 'warm', iops: 250 }])).not.toContain('warm')
  })
})
