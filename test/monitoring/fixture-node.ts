import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A disk and what it does per second. `serial` undefined = a local disk. */
export type FixtureDisk = {
  readonly device: string
  readonly serial?: string
  readonly reads: number
  readonly writes: number
  readonly bytesPerOperation: number
}

/** Trees as /proc and /sys of a node, whose statistics go on like those of a kernel. */
export interface FixtureNode {
  readonly proc: string
  readonly sys: string
  down(): void
}

const SECTOR = 512

/** Writes the trees below a folder of their own, and the statistics again each second. */
export function createFixtureNode(disks: readonly FixtureDisk[]): FixtureNode {
  const folder = mkdtempSync(join(tmpdir(), 'couchestor-node-'))
  const [proc, sys] = [join(folder, 'proc'), join(folder, 'sys')]
  mkdirSync(proc)
  for (const [i, { device, serial }] of disks.entries()) {
    const dir = join(sys, 'block', device)
    mkdirSync(join(dir, 'queue'), { recursive: true })
    writeFileSync(join(dir, 'queue', 'iostats'), '1\n')
    writeFileSync(join(dir, 'diskseq'), `${i + 1}\n`)
    if (serial !== undefined) writeFileSync(join(dir, 'serial'), serial)
  }
  const began = Date.now()
  const count = () => {
    const seconds = (Date.now() - began) / 1000
    const rows = disks.map((disk, i) => ` 252 ${i * 16} ${disk.device} ${row(disk, seconds)}\n`)
    // whole before it is seen
    writeFileSync(join(folder, 'diskstats'), rows.join(''))
    renameSync(join(folder, 'diskstats'), join(proc, 'diskstats'))
  }
  count()
  const timer = setInterval(count, 1000)
  return {
    proc,
    sys,
    down: () => {
      clearInterval(timer)
      rmSync(folder, { recursive: true })
    },
  }
}

/** The 17 fields of a row after `seconds`; times of operations are not checked. */
function row({ reads, writes, bytesPerOperation }: FixtureDisk, seconds: number): string {
  const side = (perSecond: number) => {
    const operations = Math.round(perSecond * seconds)
    return [operations, 0, Math.round((operations * bytesPerOperation) / SECTOR), operations]
  }
  return [...side(reads), ...side(writes), 0, 0, 0, 0, 0, 0, 0, 0, 0].join(' ')
}
