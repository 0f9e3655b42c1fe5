import { UserError } from '../../errors.ts'

/** Operations (reads and writes) per line of the trace, windows in time order. */
export type TraceVolume = {
  readonly id: string
  readonly sizeGiB: number
  readonly operations: Float64Array
}

const COLUMNS = ['volume', 'size_gib', 'reads', 'writes'] as const
const MOST_OPERATIONS = 1e15

type Columns = Readonly<Record<(typeof COLUMNS)[number], number>>

/**
 * Reads a trace: CSV with a header, one line per volume and window, the lines of a volume one after the other.
 * `name` is what a message calls the file. Throws one `UserError` with line, column, value and fix.
 */
export function parseTrace(text: string, name: string): readonly TraceVolume[] {
  const volumes = new Map<string, { sizeGiB: number; operations: number[] }>()
  let columns: Columns | undefined
  let last: string | undefined
  let number = 0
  for (const line of linesOf(text)) {
    number += 1
    if (line.trim() === '') continue
    const cells = line.split(',')
    if (columns === undefined) {
      columns = readHeader(cells, name)
      continue
    }
    const fail = (what: string) => wrong(`${name}, line ${number}`, what)
    const row = readRow(cells, columns, fail)
    const known = volumes.get(row.id)
    if (known !== undefined && row.id !== last)
      throw fail(`volume "${row.id}" comes back after another one; keep its lines together`)
    if (known !== undefined && known.sizeGiB !== row.sizeGiB)
      throw fail(
        `size_gib is ${row.sizeGiB}, but ${known.sizeGiB} on the lines before; write the same size on every line of volume "${row.id}"`,
      )
    if (known === undefined)
      volumes.set(row.id, { sizeGiB: row.sizeGiB, operations: [row.operations] })
    else known.operations.push(row.operations)
    last = row.id
  }
  if (volumes.size === 0)
    throw wrong(name, 'holds no volumes; give a CSV with a header and a line per volume and window')
  return [...volumes].map(([id, { sizeGiB, operations }]) => ({
    id,
    sizeGiB,
    operations: Float64Array.from(operations),
  }))
}

function* linesOf(text: string): Generator<string> {
  let from = text.charCodeAt(0) === 0xfeff ? 1 : 0
  while (from < text.length) {
    const end = text.indexOf('\n', from)
    const to = end < 0 ? text.length : end
    yield text.slice(from, text.charCodeAt(to - 1) === 13 ? to - 1 : to)
    from = to + 1
  }
}

function readHeader(cells: readonly string[], name: string): Columns {
  const names = cells.map((c) => c.trim())
  const missing = COLUMNS.filter((c) => !names.includes(c))
  if (missing.length > 0)
    throw wrong(
      `${name}, line 1`,
      `the header lacks ${missing.join(', ')}; it should be volume,size_gib,window_end_s,window_s,reads,writes`,
    )
  return Object.fromEntries(COLUMNS.map((c) => [c, names.indexOf(c)])) as Columns
}

type Row = { readonly id: string; readonly sizeGiB: number; readonly operations: number }

function readRow(
  cells: readonly string[],
  columns: Columns,
  fail: (what: string) => UserError,
): Row {
  const id = (cells[columns.volume] ?? '').trim()
  if (id === '') throw fail('volume is empty; write the name of the volume')
  const sizeGiB = numberOf(cells, columns, 'size_gib', fail)
  if (sizeGiB === 0) throw fail('size_gib is 0; write a size above 0')
  const reads = numberOf(cells, columns, 'reads', fail)
  return { id, sizeGiB, operations: reads + numberOf(cells, columns, 'writes', fail) }
}

function numberOf(
  cells: readonly string[],
  columns: Columns,
  column: 'size_gib' | 'reads' | 'writes',
  fail: (what: string) => UserError,
): number {
  const cell = cells[columns[column]]
  const value = cell === undefined || cell.trim() === '' ? NaN : Number(cell)
  if (value >= 0 && value <= MOST_OPERATIONS) return value
  const shown = cell === undefined ? 'is missing' : `is "${cell.slice(0, 50)}"`
  throw fail(`${column} ${shown}; write a number from 0 up`)
}

function wrong(where: string, what: string): UserError {
  return new UserError('BacktestTraceInvalid', `${where}: ${what}`)
}
