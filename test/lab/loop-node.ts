import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { command } from './command.ts'
import { eventually } from './eventually.ts'

/** A block device of the kernel with a file behind it. */
export type LoopDisk = { readonly name: string; readonly device: string }

/** Statistics of /proc/diskstats, without the number and the name of the device. */
export type DiskRow = {
  readonly reads: number
  readonly sectorsRead: number
  readonly writes: number
  readonly sectorsWritten: number
}

/**
 * A node whose disks are loop devices: their statistics, sequence numbers and accounting are the kernel's. The kernel
 * gives a loop device no serial number, so `sys` is a tree of links into the real /sys with serials beside them.
 */
export interface LoopNode {
  readonly sys: string
  /** A new device of the kernel, with counters at 0, that bears the id of the volume as its serial number. */
  attach(number: number, volumeId: string): Promise<LoopDisk>
  /** Takes the device away, as the kernel does when a volume is detached. */
  detach(disk: LoopDisk): Promise<void>
  /** Undefined when the kernel has no such device. */
  row(disk: LoopDisk): DiskRow | undefined
  down(): Promise<void>
}

const DISK_MIB = 64

export function createLoopNode(): LoopNode {
  const folder = mkdtempSync(join(tmpdir(), 'couchestor-loops-'))
  const sys = join(folder, 'sys')
  const block = join(sys, 'block')
  const attached = new Set<LoopDisk>()
  mkdirSync(block, { recursive: true })
  symlinkSync('/sys/kernel', join(sys, 'kernel'))
  const detach = async (disk: LoopDisk) => {
    rmSync(join(block, disk.name), { recursive: true, force: true })
    await command('losetup', ['-d', disk.device])
    // busy as long as the kernel forgets a file system that was on it
    const remove = () => loopControl(LOOP_CTL_REMOVE, disk.name).then(() => true)
    await eventually(`${disk.name} is gone`, remove)
    attached.delete(disk)
  }
  return {
    sys,
    attach: async (number, volumeId) => {
      const name = `loop${number}`
      const disk = { name, device: `/dev/${name}` }
      const file = join(folder, `${volumeId}.img`)
      await command('truncate', ['--size', `${DISK_MIB}M`, file])
      await loopControl(LOOP_CTL_ADD, name)
      await command('losetup', [disk.device, file])
      attached.add(disk)
      const dir = join(block, name)
      // whole before it is seen, as in the kernel
      mkdirSync(`${folder}/${name}`)
      for (const entry of readdirSync(`/sys/block/${name}`))
        symlinkSync(`/sys/block/${name}/${entry}`, join(folder, name, entry))
      writeFileSync(join(folder, name, 'serial'), volumeId)
      await command('mv', ['--no-target-directory', join(folder, name), dir])
      // the kernel reports a disk that can be seen; what it reported before may have been read without seeing this one
      writeFileSync(`/sys/block/${name}/uevent`, 'change')
      return disk
    },
    detach,
    row: ({ name }) => rowIn(readFileSync('/proc/diskstats', 'utf8'), name),
    down: async () => {
      for (const disk of attached) await detach(disk)
      rmSync(folder, { recursive: true })
    },
  }
}

const LOOP_CTL_ADD = 0x4c80
const LOOP_CTL_REMOVE = 0x4c81

/** Debian 12's losetup cannot add and remove devices by number; Node has no ioctl. */
async function loopControl(request: number, name: string): Promise<void> {
  const number = Number(name.replace('loop', ''))
  const script = `import fcntl; fcntl.ioctl(open('/dev/loop-control'), ${request}, ${number})`
  await command('python3', ['-c', script])
}

function rowIn(diskstats: string, name: string): DiskRow | undefined {
  const rows = diskstats.split('\n').map((line) => line.trim().split(/\s+/))
  const row = rows.find((r) => r[2] === name)?.map(Number)
  if (row === undefined) return undefined
  const [, , , reads = NaN, , sectorsRead = NaN, , writes = NaN, , sectorsWritten = NaN] = row
  return { reads, sectorsRead, writes, sectorsWritten }
}
