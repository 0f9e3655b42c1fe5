import { describe, expect, it } from 'vitest'
import { flow } from './layout.ts'

describe('boxes on the grid', () => {
  it('stand side by side as long as the line has room, and go on below the highest', () => {
    const sizes = [
      { width: 12, height: 4 },
      { width: 12, height: 8 },
      { width: 24, height: 5 },
    ]
    expect(flow(sizes, 10)).toEqual({
      places: [
        { x: 0, y: 10, w: 12, h: 4 },
        { x: 12, y: 10, w: 12, h: 8 },
        { x: 0, y: 18, w: 24, h: 5 },
      ],
      end: 23,
    })
  })

  it('take no room when there are none', () => {
    expect(flow([], 3)).toEqual({ places: [], end: 3 })
  })

  it.each([0, 25])('cannot be %i columns wide', (width) => {
    expect(() => flow([{ width, height: 1 }], 0)).toThrow(`${width} columns`)
  })
})
