import * as z from 'zod'
import type { Log } from '../log.ts'
import { type CinderReader, parseBody, type Read, wrongField } from './cinder-call.ts'
import { CinderError } from './errors.ts'
import type { SessionResponse } from './session.ts'

/** Also Cinder's own default for the longest page. */
const PAGE = 1000
/** A page's last rows may be deleted before the next page is asked for; so many of them are gone back over. */
const VANISHED_MARKERS = 5

export type PagedRead<T> = Omit<Read, 'path'> & {
  /** Path without query. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  /** Keys of the rows and of their links in the body. */
  readonly rows: string
  readonly links: string
  readonly row: z.ZodType<T>
}

const Link = z.object({ rel: z.string(), href: z.string() })
const Id = z.object({ id: z.string() })

/**
 * All rows, a page at a time. A row that does not fit its schema is left out with a warning. Only the marker is taken
 * from the links: their host is the server's own idea of itself. Throws `CinderError`.
 */
export async function* pagesOf<T>(
  reader: CinderReader,
  read: PagedRead<T>,
  parts: { log: Log; clean: (text: string) => string },
): AsyncIterable<readonly T[]> {
  const seen = new Set<string>()
  let markers: readonly string[] = []
  for (;;) {
    const answer = await pageAfter(reader, read, markers)
    const rows = rowsOf(answer, read, parts.clean)
    yield goodRows(rows, read, parts)
    const next = markerAfter(answer, rows, read)
    if (next === undefined) return
    if (seen.has(next)) throw goesRound(read, answer)
    seen.add(next)
    markers = [next, ...idsFromTheEnd(rows)]
  }
}

async function pageAfter<T>(
  reader: CinderReader,
  read: PagedRead<T>,
  markers: readonly string[],
): Promise<SessionResponse> {
  const tries = [...new Set(markers)].slice(0, VANISHED_MARKERS)
  for (const marker of tries.slice(0, -1)) {
    const answer = await reader.get(requestOf(read, marker), [404])
    if (answer.status !== 404) return answer
  }
  return reader.get(requestOf(read, tries.at(-1)))
}

function requestOf<T>(read: PagedRead<T>, marker: string | undefined): Read {
  const query = new URLSearchParams({ ...read.query, limit: String(PAGE) })
  if (marker !== undefined) query.set('marker', marker)
  return { ...read, path: `${read.path}?${query.toString()}` }
}

function rowsOf<T>(
  answer: SessionResponse,
  read: PagedRead<T>,
  clean: (text: string) => string,
): unknown[] {
  const schema = z.object({ [read.rows]: z.array(z.unknown()) })
  return parseBody(`Cinder: ${read.operation}`, answer, schema, clean)[read.rows] ?? []
}

function goodRows<T>(
  rows: readonly unknown[],
  read: PagedRead<T>,
  { log, clean }: { log: Log; clean: (text: string) => string },
): T[] {
  const good: T[] = []
  for (const row of rows) {
    const parsed = read.row.safeParse(row)
    if (parsed.success) good.push(parsed.data)
    else
      log.warn(
        { operation: read.operation, id: idOf(row), why: clean(wrongField(parsed.error)) },
        'row left out: it is not as Cinder documents it',
      )
  }
  return good
}

/** The next link's marker, or the last id where the link has none; nothing when the server says that was all. */
function markerAfter<T>(
  answer: SessionResponse,
  rows: readonly unknown[],
  read: PagedRead<T>,
): string | undefined {
  const last = idsFromTheEnd(rows)[0]
  const links = (answer.json as Record<string, unknown>)[read.links]
  const all = Array.isArray(links) ? links.flatMap((l) => Link.safeParse(l).data ?? []) : []
  const next = all.find((l) => l.rel === 'next')
  if (next !== undefined) {
    const given = new URLSearchParams(next.href.split('?')[1] ?? '').get('marker')
    return rows.length === 0 ? undefined : (given ?? last)
  }
  return rows.length >= PAGE ? last : undefined
}

function idsFromTheEnd(rows: readonly unknown[]): string[] {
  return rows
    .slice(-VANISHED_MARKERS)
    .map(idOf)
    .filter((id) => id !== undefined)
    .reverse()
}

function idOf(row: unknown): string | undefined {
  return Id.safeParse(row).data?.id
}

function goesRound<T>(read: PagedRead<T>, answer: SessionResponse): CinderError {
  return new CinderError({
    code: 'ServerError',
    sent: true,
    status: answer.status,
    requestId: answer.requestId,
    message: `Cinder: ${read.operation} gives the same page again and again, request ${answer.requestId ?? '?'}`,
  })
}
