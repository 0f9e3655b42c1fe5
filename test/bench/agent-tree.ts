import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The roots of a node's /proc, /sys and udev data below one directory. */
export type AgentTree = { readonly proc: string; readonly sys: string; readonly udev: string }

/**
 * A node with that many virtio disks, as the files that our agent and node_exporter read: statistics with 17 fields,
 * serials cut to 20 characters, and what udev keeps of each device.
 */
export function writeTree(folder: string, disks: number): AgentTree {
  const [proc, sys, udev] = ['proc', 'sys', 'udev'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  const put = (path: string, text: string) => {
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, text)
  }
  const rows = Array.from({ length: disks }, (_, n) => {
    const name = diskName(n)
    const serial = `${(0x1000_0000 + n).toString(16)}-1ab0-4f00-8`
    const block = join(sys, 'block', name)
    put(join(block, 'serial'), serial)
    put(join(block, 'diskseq'), `${n + 1}\n`)
    put(join(block, 'queue', 'iostats'), '1\n')
    // node_exporter reports the block size of each disk
    put(join(block, 'queue', 'logical_block_size'), '512\n')
    put(join(udev, `b252:${n * 16}`), `E:ID_SERIAL=${serial}\nE:ID_SERIAL_SHORT=${serial}\n`)
    const statistics = `${123_456 + n} 4321 98765432 1234 ${7_654_321 + n} 11 876543210 88 0 70 160 1 2 3 4 5 6`
    return ` 252 ${String(n * 16).padStart(7)} ${name} ${statistics}\n`
  })
  put(join(proc, 'diskstats'), rows.join(''))
  put(join(sys, 'kernel', 'uevent_seqnum'), '4711\n')
  return { proc, sys, udev }
}

/** vda … vdz, vdaa … */
function diskName(n: number): string {
  const letter = (i: number) => String.fromCharCode(97 + i)
  return n < 26 ? `vd${letter(n)}` : `vd${letter(Math.floor(n / 26) - 1)}${letter(n % 26)}`
}
