import type { Clock } from '../clock.ts'
import { identifyDisk } from './disk-identity.ts'
import type { DiskIdentity } from './disk-identity.ts'
import type { NodeFiles } from './node-files.ts'
import { textIfReadable } from './node-files.ts'
import { createPatience } from './patience.ts'
import type { Attempt, Job } from './patience.ts'

/** A whole disk of the node as last examined. */
export type Disk = {
  /** Name in /sys/block. */
  readonly name: string
  /** Name in /proc/diskstats. */
  readonly device: string
  /** Never used twice by the kernel until it reboots; '' before Linux 5.15. */
  readonly sequence: string
  readonly identity: DiskIdentity | { readonly kind: 'Unreadable' }
  /** Whether the kernel counts its I/O. */
  readonly accounting: boolean
  /** False while a read of it hangs, or has not had its turn since the disk came or may have been replaced; the rest is what was known before. */
  readonly answered: boolean
}

export type DiskList = {
  /** The disks of now, by name. Rejects when /sys/block cannot be read. Not to be called again before it is done. */
  read(): Promise<readonly Disk[]>
  /** Which of these disks can have been replaced by another of the same name since the last `read`. */
  replaced(disks: readonly Disk[]): Promise<ReadonlySet<string>>
  /** Reads of device attributes that have not returned. */
  readonly hanging: number
}

export type DiskListOptions = {
  readonly files: NodeFiles
  readonly clock: Clock
  /** Where /sys of the node is mounted. */
  readonly sys: string
  /** Names in /sys/block that are passed over without a word. */
  readonly ignored: RegExp
}

/** No Cinder disk, or one that stands on other disks, where its I/O is counted already. */
export const IGNORED_DISKS = /^(loop|ram|zram|dm-|md|nbd|sr|fd|rbd|drbd|bcache|zd|nullb)\d/
/** Disks examined again per read although no device came or went: bounds the cost on a node with hundreds. */
const EXAMINED_PER_READ = 8
/** Healthy disks take milliseconds together; Prometheus gives a scrape 10 s. */
const DEADLINE_MS = 1000

/** What an examination asks the device. */
type Examined = Pick<Disk, 'identity' | 'accounting'>

/**
 * Knows the disks of the node. The kernel numbers every coming and going of a device; while that number stands still
 * names cannot have changed hands, and only attributes that change silently are read again, some disks at a time.
 */
export function createDiskList({ files, clock, sys, ignored }: DiskListOptions): DiskList {
  const patience = createPatience<Examined>(clock, DEADLINE_MS)
  let known: Disk[] = []
  let numberAtRead: string | undefined
  let next = 0
  const eventNumber = () => quietly(() => files.text(`${sys}/kernel/uevent_seqnum`).trim())
  const sequenceOf = (name: string) =>
    quietly(() => files.text(`${sys}/block/${name}/diskseq`).trim()) ?? ''
  const job = (disk: Disk): Job<Examined> => ({
    // without a number of its own, what was asked before the last event may be the answer of a disk that is gone
    key: `${disk.name} ${disk.sequence === '' ? (numberAtRead ?? '') : disk.sequence}`,
    run: () => examine(files, `${sys}/block/${disk.name}`, disk),
  })
  const list = () => {
    const before = new Map(known.map((d) => [d.name, d]))
    const names = files.list(`${sys}/block`).filter((n) => !ignored.test(n))
    return names.map((name) => {
      const sequence = sequenceOf(name)
      const old = before.get(name)
      if (old === undefined || old.sequence !== sequence) return unread(name, sequence)
      return sequence === '' ? { ...old, answered: false } : old
    })
  }
  const isDue = (disk: Disk, moved: boolean) =>
    !disk.answered || (moved && disk.identity.kind !== 'Volume')
  return {
    get hanging() {
      return patience.hanging
    },
    read: async () => {
      const number = eventNumber()
      const moved = number === undefined || number !== numberAtRead
      if (moved) known = list()
      numberAtRead = number
      const due = new Set(known.filter((d) => isDue(d, moved)))
      for (let n = Math.min(EXAMINED_PER_READ, known.length); n > 0; n -= 1) {
        next = (next + 1) % known.length
        due.add(known[next]!)
      }
      const attempt = await patience.attempt([...due].map(job))
      known = known.map((d) => (due.has(d) ? answered(d, job(d).key, attempt) : d))
      return known
    },
    replaced: async (disks) => {
      const number = eventNumber()
      if (number !== undefined && number === numberAtRead) return new Set()
      const [others, same] = parted(disks, (d) => sequenceOf(d.name) !== d.sequence)
      const unnumbered = same.filter((d) => d.sequence === '')
      const { answers } = await patience.attempt(unnumbered.map(job))
      const gone = unnumbered.filter((d) => idOf(answers.get(job(d).key)) !== idOf(d))
      return new Set([...others, ...gone].map((d) => d.name))
    },
  }
}

function unread(name: string, sequence: string): Disk {
  const device = name.replaceAll('!', '/')
  return {
    name,
    device,
    sequence,
    identity: { kind: 'NoSerial' },
    accounting: true,
    answered: false,
  }
}

/** A disk that only waits behind others stays what it was. */
function answered(disk: Disk, key: string, { answers, hanging }: Attempt<Examined>): Disk {
  const answer = answers.get(key)
  if (answer !== undefined) return { ...disk, ...answer, answered: true }
  return hanging.has(key) ? { ...disk, answered: false } : disk
}

async function examine(files: NodeFiles, dir: string, disk: Disk): Promise<Examined> {
  const identity = lastingIdentity(disk) ?? (await identityOf(files, dir, disk.name))
  const iostats = await textIfReadable(files, `${dir}/queue/iostats`)
  return { identity, accounting: iostats?.trim() !== '0' }
}

/**
 * Reading a virtio serial asks the hypervisor, so it is read once in the life of a disk. What a SCSI disk is can change
 * under it (a LUN mapped again), and reading that costs memory access only.
 */
function lastingIdentity({ name, sequence, identity }: Disk): DiskIdentity | undefined {
  if (identity.kind !== 'Volume' || sequence === '') return undefined
  return /^(vd|nvme)/.test(name) ? identity : undefined
}

async function identityOf(files: NodeFiles, dir: string, name: string): Promise<Disk['identity']> {
  try {
    return await identifyDisk(files, dir, name)
  } catch {
    return { kind: 'Unreadable' }
  }
}

function idOf(examined: Pick<Disk, 'identity'> | undefined): string | undefined {
  return examined?.identity.kind === 'Volume' ? examined.identity.id : undefined
}

function parted<T>(all: readonly T[], first: (one: T) => boolean): [T[], T[]] {
  const [a, b]: [T[], T[]] = [[], []]
  for (const one of all) (first(one) ? a : b).push(one)
  return [a, b]
}

function quietly(read: () => string): string | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
