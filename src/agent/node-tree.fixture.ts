import type { NodeFiles } from './node-files.ts'

// for tests: /proc and /sys of a node in memory, in the form in which the kernel shows them

export const A = 'aaaaaaaa-1111-4222-8333-444444444444'
export const B = 'bbbbbbbb-1111-4222-8333-444444444444'
export const cut = (id: string) => id.slice(0, 20)

/** An attribute that answers an error, such as EIO of a device that hangs. */
export class Fault {
  readonly code: string
  constructor(code: string) {
    this.code = code
  }
}
/** An attribute whose read does not return before it is asked to. */
export class Hanging {
  readonly returned = Promise.withResolvers<void>()
  readonly content: string | Fault
  constructor(content: string | Fault) {
    this.content = content
  }
}
type Content = string | Uint8Array | Fault | Hanging

export type DiskSpec = {
  readonly name: string
  /** By path below /sys/block/<name>. */
  readonly attributes: Readonly<Record<string, Content>>
  /** What stands behind the name in diskstats; undefined = no row. */
  readonly row: string | undefined
  /** Further rows, such as those of partitions. */
  readonly more?: readonly string[]
}

let sequence = 100

/** `fields` of statistics (11, 15 or 17): reads, sectors read, writes and sectors written from `seed` up, else noise. */
export function stats(seed: number, fields = 17): string {
  const values = [seed, 7, seed * 8, 90, seed * 2, 9, seed * 16, 80, 0, 70, 160, 1, 2, 3, 4, 5, 6]
  return values.slice(0, fields).join(' ')
}

type Extra = { readonly row?: string; readonly iostats?: string; readonly diskseq?: string | null }

export function disk(
  name: string,
  attributes: DiskSpec['attributes'],
  { row = stats(100), iostats = '1\n', diskseq }: Extra = {},
): DiskSpec {
  sequence += 1
  const tag = diskseq === null ? {} : { diskseq: diskseq ?? `${sequence}\n` }
  return { name, attributes: { 'queue/iostats': iostats, ...tag, ...attributes }, row }
}

export const virtio = (name: string, serial: Content, extra?: Extra) =>
  disk(name, { serial }, extra)

export const nvme = (name: string, serial: Content, extra?: Extra) =>
  disk(name, { 'device/serial': serial }, extra)

export const scsi = (name: string, pages: Record<string, Content>, extra?: Extra) =>
  disk(
    name,
    Object.fromEntries(Object.entries(pages).map(([page, value]) => [`device/${page}`, value])),
    extra,
  )

export function page80(serial: string): Uint8Array {
  return Uint8Array.from([0, 0x80, 0, serial.length, ...Buffer.from(serial)])
}

export type Designator = readonly [codeSet: number, type: number, value: Uint8Array]
export const text83 = (type: number, value: string): Designator => [2, type, Buffer.from(value)]
export const naa83 = (hex: string): Designator => [1, 3, Buffer.from(hex, 'hex')]

export function page83(...designators: readonly Designator[]): Uint8Array {
  const body = designators.flatMap(([code, type, value]) => [code, type, 0, value.length, ...value])
  return Uint8Array.from([0, 0x83, body.length >> 8, body.length & 255, ...body])
}

export type NodeTree = {
  readonly files: NodeFiles
  /** Paths that were read, in order. */
  readonly reads: string[]
  /** Runs once, before the next read of `path`. */
  before(path: string, change: () => void): void
  /** Puts other disks in place; the kernel counts the event unless it is asked not to. */
  become(disks: readonly DiskSpec[], event?: boolean): void
  /** Makes one path answer something else. */
  put(path: string, content: Content): void
}

/** A node with these disks. `events: false` = a kernel or sandbox without /sys/kernel/uevent_seqnum. */
export function createNodeTree(disks: readonly DiskSpec[], events = true): NodeTree {
  const content = new Map<string, Content>()
  const put = (path: string, value: Content) => void content.set(path, value)
  const hooks = new Map<string, () => void>()
  const reads: string[] = []
  let names: string[] = []
  let number = 1000
  const become = (next: readonly DiskSpec[], event = true) => {
    content.clear()
    names = next.map((d) => d.name)
    if (event) number += 1
    if (events) put('/sys/kernel/uevent_seqnum', `${number}\n`)
    put('/proc/diskstats', next.flatMap(rowsOf).join(''))
    for (const { name, attributes } of next)
      for (const [path, value] of Object.entries(attributes))
        put(`/sys/block/${name}/${path}`, value)
  }
  const read = (path: string) => {
    const hook = hooks.get(path)
    hooks.delete(path)
    hook?.()
    reads.push(path)
    return content.get(path) ?? new Fault('ENOENT')
  }
  become(disks)
  return {
    reads,
    become,
    put,
    before: (path, change) => void hooks.set(path, change),
    files: {
      text: (path) => Buffer.from(contentOf(read(path))).toString('utf8'),
      attribute: async (path) => {
        const value = read(path)
        if (value instanceof Hanging) await value.returned.promise
        return Buffer.from(contentOf(value instanceof Hanging ? value.content : value))
      },
      list: (path) => {
        const value = content.get(path)
        if (value !== undefined) contentOf(value)
        return [...names]
      },
    },
  }
}

function contentOf(value: Content): string | Uint8Array {
  if (value instanceof Hanging) throw new Error('this would block the whole process')
  if (value instanceof Fault) throw Object.assign(new Error(value.code), { code: value.code })
  return value
}

function rowsOf({ name, row, more = [] }: DiskSpec): string[] {
  const own = row === undefined ? [] : [`${name.replaceAll('!', '/')} ${row}`]
  return [...own, ...more].map((line) => ` 252      16 ${line}\n`)
}
