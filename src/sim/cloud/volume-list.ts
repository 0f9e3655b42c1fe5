import type { SimResponse } from '../handler.ts'
import type { Context } from './context.ts'
import { limitOf, nextLink } from './context.ts'
import type { VolumeRow } from './model.ts'
import { json } from '../json-reply.ts'
import { badRequest, invalidInput, notFound } from './reply.ts'
import { cinderTime, parseTime } from './times.ts'
import { volumeDetail, volumeSummary } from './volume-view.ts'

const PAGING = ['limit', 'marker', 'offset', 'sort', 'sort_key', 'sort_dir', 'all_tenants']
const MEMBER_FILTERS = [
  'name',
  'status',
  'metadata',
  'bootable',
  'migration_status',
  'availability_zone',
  'group_id',
  'size',
  'created_at',
  'updated_at',
  'consumes_quota',
]

/** GET /volumes and /volumes/detail: paged by marker, newest first unless sorted otherwise. */
export function listVolumes(ctx: Context, detail: boolean): SimResponse {
  const limit = limitOf(ctx)
  const test = filters(ctx)
  const sort = sortOf(ctx.query.get('sort'))
  const marker = ctx.query.get('marker') ?? undefined
  if (marker !== undefined && !ctx.state.volumes.get(marker))
    throw notFound(`Volume ${marker} could not be found.`)
  const scope = allTenants(ctx) ? undefined : ctx.caller.projectId
  const rows = sort
    ? sorted(ctx, scope, test, sort, marker)
    : filtered(ctx.state.volumes.newestFirst(scope, marker), test)
  const page = take(rows, Number(ctx.query.get('offset') ?? 0), limit)
  const view = detail ? volumeDetail : volumeSummary
  const full = page.length === limit && limit > 0
  return json(200, {
    volumes: page.map((row) => view(ctx, row)),
    ...(full && { volumes_links: nextLink(ctx, page.at(-1)!.id) }),
    ...(wantsCount(ctx) && { count: count(ctx, scope, test) }),
  })
}

type Test = (row: VolumeRow) => boolean
type Sort = readonly { readonly key: string; readonly down: boolean }[]

// silently ignored for everybody who is not an administrator
const allTenants = (ctx: Context) => {
  const asked = ctx.query.get('all_tenants')
  const yes = asked !== null && ['1', 'true', 't', 'yes', 'y', 'on'].includes(asked.toLowerCase())
  return ctx.caller.isAdmin && yes
}

const wantsCount = (ctx: Context) => ctx.minor >= 45 && ctx.query.get('with_count') === 'true'

function count(ctx: Context, scope: string | undefined, test: Test): number {
  let n = 0
  for (const row of ctx.state.volumes.newestFirst(scope)) if (test(row)) n++
  return n
}

function* filtered(rows: Iterable<VolumeRow>, test: Test): Iterable<VolumeRow> {
  for (const row of rows) if (test(row)) yield row
}

function take(rows: Iterable<VolumeRow>, offset: number, limit: number): VolumeRow[] {
  const page: VolumeRow[] = []
  let skipped = 0
  if (limit === 0) return page
  for (const row of rows) {
    if (skipped++ < offset) continue
    page.push(row)
    if (page.length === limit) break
  }
  return page
}

function filters(ctx: Context): Test {
  const asked = [...ctx.query.entries()].filter(([k]) => !isPaging(ctx, k))
  if (!ctx.caller.isAdmin) refuseUnknown(ctx, asked)
  const usable = ctx.caller.isAdmin ? asked : asked.filter(([k]) => MEMBER_FILTERS.includes(k))
  const tests = usable.map(([key, value]) => filterOf(ctx, key, value))
  const hidden = (row: VolumeRow) =>
    !ctx.caller.isAdmin && row.migrationStatus?.startsWith('target:') === true
  return (row) => !hidden(row) && tests.every((test) => test(row))
}

const isPaging = (ctx: Context, key: string) =>
  PAGING.includes(key) || (key === 'with_count' && ctx.minor >= 45)

function refuseUnknown(ctx: Context, asked: readonly (readonly [string, string])[]): void {
  const unknown = asked.map(([k]) => k).filter((k) => !MEMBER_FILTERS.includes(k))
  if (unknown.length > 0 && ctx.minor >= 31)
    throw badRequest(`Invalid filters ${unknown.join(',')} are found in query options.`)
}

function filterOf(ctx: Context, key: string, value: string): Test {
  if (key === 'created_at' || key === 'updated_at') return timeFilter(ctx, key, value)
  if (key === 'metadata') return metadataFilter(value)
  const read = FIELDS[key]
  // an unknown filter of an administrator matches nothing
  return read === undefined ? () => false : (row) => read(ctx, row) === value
}

const FIELDS: Readonly<Record<string, (ctx: Context, row: VolumeRow) => string | null>> = {
  id: (_, row) => row.id,
  name: (_, row) => row.name,
  status: (_, row) => row.status,
  bootable: (_, row) => String(row.bootable),
  migration_status: (_, row) => row.migrationStatus,
  availability_zone: (_, row) => row.availabilityZone,
  group_id: (_, row) => row.groupId,
  size: (_, row) => String(row.sizeGiB),
  consumes_quota: (_, row) => String(row.useQuota),
  project_id: (_, row) => row.projectId,
  user_id: (_, row) => row.userId,
  host: (_, row) => row.host,
  snapshot_id: (_, row) => row.snapshotId,
  source_volid: (_, row) => row.sourceVolid,
  volume_type_id: (_, row) => row.typeId,
  volume_type: (ctx, row) => ctx.state.types.get(row.typeId)?.name ?? null,
}

const COMPARE: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  gt: (a, b) => a > b,
  gte: (a, b) => a >= b,
  lt: (a, b) => a < b,
  lte: (a, b) => a <= b,
  eq: (a, b) => a === b,
  neq: (a, b) => a !== b,
}

// before 3.60 the text is compared as it stands, so that an operator matches nothing
function timeFilter(ctx: Context, key: 'created_at' | 'updated_at', value: string): Test {
  const of = (row: VolumeRow) => (key === 'created_at' ? row.createdAt : row.updatedAt)
  if (ctx.minor < 60)
    return (row) => {
      const at = of(row)
      return at !== null && cinderTime(at) === value
    }
  const tests = value.split(',').map((part) => {
    const colon = part.indexOf(':')
    const operator = part.slice(0, Math.max(colon, 0))
    const compare = COMPARE[operator]
    if (!compare && Number.isNaN(parseTime(part)) && colon < 0)
      throw badRequest(`Invalid ${part} value`)
    if (!compare) throw badRequest(`Invalid ${operator} operator`)
    const time = parseTime(part.slice(colon + 1))
    if (Number.isNaN(time)) throw badRequest(`Invalid ${part.slice(colon + 1)} value`)
    return (at: number) => compare(Math.floor(at / 1000) * 1000, time)
  })
  return (row) => {
    const at = of(row)
    return at !== null && tests.every((test) => test(at))
  }
}

function metadataFilter(value: string): Test {
  const wanted: [string, string][] = [
    ...value.matchAll(/'([^']*)'\s*:\s*'([^']*)'|"([^"]*)"\s*:\s*"([^"]*)"/g),
  ].map((m) => [m[1] ?? m[3] ?? '', m[2] ?? m[4] ?? ''])
  return (row) => wanted.every(([k, v]) => row.metadata[k] === v)
}

const SORT_KEYS: Readonly<Record<string, (row: VolumeRow) => string | number>> = {
  created_at: (row) => Math.floor(row.createdAt / 1000),
  updated_at: (row) => Math.floor((row.updatedAt ?? 0) / 1000),
  id: (row) => row.id,
  name: (row) => row.name ?? '',
  display_name: (row) => row.name ?? '',
  size: (row) => row.sizeGiB,
  status: (row) => row.status,
  availability_zone: (row) => row.availabilityZone,
  bootable: (row) => String(row.bootable),
  host: (row) => row.host ?? '',
}

function sortOf(text: string | null): Sort | undefined {
  if (text === null) return undefined
  const parts = text.split(',').map((part) => {
    const [key, direction = 'desc'] = part.trim().split(':')
    if (!(key! in SORT_KEYS)) throw invalidInput('Invalid sort key')
    if (direction !== 'asc' && direction !== 'desc')
      throw invalidInput("Unknown sort direction, must be 'desc' or 'asc'.")
    return { key: key!, down: direction === 'desc' }
  })
  // rows that are equal so far are distinguished by time and id, in the direction of the first key
  const { down } = parts[0]!
  return [...parts, { key: 'created_at', down }, { key: 'id', down }]
}

function sorted(
  ctx: Context,
  scope: string | undefined,
  test: Test,
  sort: Sort,
  marker: string | undefined,
): readonly VolumeRow[] {
  const markerRow = marker === undefined ? undefined : ctx.state.volumes.get(marker)
  const order = (a: VolumeRow, b: VolumeRow) => {
    for (const { key, down } of sort) {
      const x = SORT_KEYS[key]!(a)
      const y = SORT_KEYS[key]!(b)
      if (x !== y) return x < y === down ? 1 : -1
    }
    return 0
  }
  const rows = [...filtered(ctx.state.volumes.newestFirst(scope), test)].toSorted(order)
  return markerRow === undefined ? rows : rows.filter((row) => order(row, markerRow) > 0)
}
