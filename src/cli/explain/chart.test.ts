import { describe, expect, it } from 'vitest'
import { chart } from './chart.ts'
import type { Point } from '../../insight/explain/explanation.ts'

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

  it('shows an idle volume as idle: the top is the next level, and higher ones are named', () => {
    const levels = [
      { name: 'warm', iops: 1000 },
      { name: 'cold', iops: 100 },
      { name: 'hot', iops: Infinity },
    ]
    const lines = chart(points([1, 1]), levels).split('\n')
    expect(lines[0]).toBe('cold 100 │┄┄')
    expect(lines[7]).toBe('         │▁▁')
    expect(lines.at(-1)).toBe('          above: warm 1000')
  })

  it('names both levels of one row', () => {
    const levels = [
      { name: 'warm', iops: 490 },
      { name: 'cold', iops: 400 },
    ]
    expect(chart(points([1000]), levels)).toContain('warm 490, cold 400 │')
  })

  it.each([40, 80, 200])('of 300 hours is not wider than %i columns', (columns) => {
    const hours = points(Array.from({ length: 300 }, (_, i) => (i % 7 === 0 ? undefined : i)))
    const lines = chart(hours, [{ name: 'cold', iops: 100 }], columns).split('\n')
    expect(lines.filter((line) => line.length > columns)).toEqual([])
    expect(lines.some((line) => line.length > columns / 2)).toBe(true)
  })

  it('puts hours together by their mean, and a gap is only where none has numbers', () => {
    const hours = points([
      ...new Array<undefined>(30).fill(undefined),
      ...new Array<number>(30).fill(8),
    ])
    const ground = chart(hours, [], 40).split('\n')[7]?.split('│')[1]
    expect(ground).toMatch(/^·{15}█{15}$/)
  })
})
