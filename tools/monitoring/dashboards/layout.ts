import type { GridPos } from './grafana.ts'

/** Columns of Grafana's grid. */
export const COLUMNS = 24

export type Size = { readonly width: number; readonly height: number }

/**
 * Places boxes like words on a page: from left to right, and on a new line below the highest of the line where one
 * does not fit. Gives the places in the order of `sizes`, and the first free line.
 */
export function flow(
  sizes: readonly Size[],
  firstLine: number,
): { places: GridPos[]; end: number } {
  const places: GridPos[] = []
  let [x, y, lineHeight] = [0, firstLine, 0]
  for (const { width, height } of sizes) {
    if (width < 1 || width > COLUMNS) throw new RangeError(`a width of ${width} columns`)
    if (x + width > COLUMNS) [x, y, lineHeight] = [0, y + lineHeight, 0]
    places.push({ x, y, w: width, h: height })
    x += width
    lineHeight = Math.max(lineHeight, height)
  }
  return { places, end: y + lineHeight }
}
