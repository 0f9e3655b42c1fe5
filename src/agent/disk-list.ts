import { identifyDisk } from './disk-identity.ts'
import type { DiskIdentity } from './disk-identity.ts'
import type { NodeFiles } from './node-files.ts'
import { ifPresent } from './node-files.ts'

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
}

export type DiskList = {
  /** The disks of now, by name. Throws when /sys/block cannot be read. */
  read(): readonly Disk[]
  /** Whether since the last `read` each of these disks can have been replaced by another of the same name. */
  replaced(disks: readonly Disk[]): ReadonlySet<string>
}

/** No Cinder disk, or one that stands on other disks, where its I/O is counted already. */
const NOT_A_BOTTOM_DISK = /^(loop|ram|zram|dm-|md|nbd|sr|fd|rbd|drbd|bcache|zd|nullb)\d/
/** Disks examined anew per read although no device came or went: bounds the cost on a node with hundreds. */
const EXAMINED_PER_READ = 64

/**
 * Knows the disks of the node. The kernel numbers every coming and going of a device; while that number stands still
 * names cannot have changed hands, and only attributes that change silently are read again, some disks at a time.
 */
export function createDiskList(files: NodeFiles, sys: string): DiskList {
  let known: Disk[] = []
  let numberAtRead: string | undefined
  let next = 0
  const eventNumber = () => quietly(() => files.text(`${sys}/kernel/uevent_seqnum`).trim())
  const examine = (name: string, before?: Disk) => examineDisk(files, sys, name, before)
  return {
    read: () => {
      const number = eventNumber()
      if (number === undefined || number !== numberAtRead) {
        const before = new Map(known.map((d) => [d.name, d]))
        const names = files.list(`${sys}/block`).filter((n) => !NOT_A_BOTTOM_DISK.test(n))
        known = names.map((name) => examine(name, before.get(name)))
      } else {
        for (let n = Math.min(EXAMINED_PER_READ, known.length); n > 0; n -= 1) {
          next = (next + 1) % known.length
          known[next] = examineDisk(files, sys, known[next]!.name, known[next], true)
        }
      }
      numberAtRead = number
      return [...known]
    },
    replaced: (disks) => {
      const number = eventNumber()
      if (number !== undefined && number === numberAtRead) return new Set()
      const gone = disks.filter((d) => !isSame(d, examine(d.name, d)))
      return new Set(gone.map((d) => d.name))
    },
  }
}

function isSame(a: Disk, b: Disk): boolean {
  return a.sequence === b.sequence && idOf(a) === idOf(b)
}

function idOf({ identity }: Disk): string | undefined {
  return identity.kind === 'Volume' ? identity.id : undefined
}

/** `unmoved` = no device came or went since `before`, so its sequence is still right. */
function examineDisk(
  files: NodeFiles,
  sys: string,
  name: string,
  before?: Disk,
  unmoved = false,
): Disk {
  const dir = `${sys}/block/${name}`
  const sequence =
    unmoved && before !== undefined
      ? before.sequence
      : (quietly(() => files.text(`${dir}/diskseq`).trim()) ?? '')
  const iostats = quietly(() => files.text(`${dir}/queue/iostats`).trim())
  return {
    name,
    device: name.replaceAll('!', '/'),
    sequence,
    identity: lastingIdentity(sequence, before) ?? identityOf(files, dir, name),
    accounting: iostats !== '0',
  }
}

/**
 * Reading a virtio serial asks the hypervisor, so it is read once in the life of a disk. What a SCSI disk is can change
 * under it (a LUN mapped anew), and reading that costs memory access only.
 */
function lastingIdentity(sequence: string, before: Disk | undefined): DiskIdentity | undefined {
  if (before === undefined || sequence === '' || before.sequence !== sequence) return undefined
  if (before.identity.kind !== 'Volume') return undefined
  return /^(vd|nvme)/.test(before.name) ? before.identity : undefined
}

function identityOf(files: NodeFiles, dir: string, name: string): Disk['identity'] {
  try {
    return identifyDisk(files, dir, name)
  } catch {
    return { kind: 'Unreadable' }
  }
}

function quietly(read: () => string): string | undefined {
  try {
    return ifPresent(read)
  } catch {
    return undefined
  }
}
