import { describe, expect, it } from 'vitest'
import { DEVICE_CORPUS } from './device-corpus.fixture.ts'
import { createDiskList } from './disk-list.ts'
import {
  A,
  B,
  createNodeTree,
  cut,
  disk,
  page80,
  scsi,
  stats,
  virtio,
} from './node-tree.fixture.ts'
import type { DiskSpec, NodeTree } from './node-tree.fixture.ts'
import { takeSnapshot } from './snapshot.ts'

const ROOTS = { proc: '/proc', sys: '/sys' }

function node(disks: readonly DiskSpec[], events = true) {
  const tree = createNodeTree(disks, events)
  const list = createDiskList(tree.files, '/sys')
  const take = () => {
    const { counted, skipped } = takeSnapshot(tree.files, ROOTS, list)
    return {
      counted: counted.map((d) => `${d.device} ${d.volumeId} ${d.counters.reads}`),
      skipped: skipped.map((d) => `${d.device} ${d.reason}`),
    }
  }
  return { tree, take, list }
}

describe('the disks of a node', () => {
  it.each(DEVICE_CORPUS)('$what', ({ disks, counted, skipped }) => {
    expect(node(disks).take()).toEqual({ counted, skipped })
  })

  it.each(DEVICE_CORPUS)('is the same on a kernel without event numbers: $what', (c) => {
    expect(node(c.disks, false).take()).toEqual({ counted: c.counted, skipped: c.skipped })
  })

  it.each(DEVICE_CORPUS)('is the same in the second scrape: $what', (c) => {
    const { take } = node(c.disks)
    take()
    expect(take()).toEqual({ counted: c.counted, skipped: c.skipped })
  })

  it('counts operations, and bytes in sectors of 512', () => {
    const { tree, list } = node([virtio('vdb', A, { row: '10 1 80 5 20 2 320 6 0 0 0' })])

    expect(takeSnapshot(tree.files, ROOTS, list).counted[0]?.counters).toEqual({
      reads: 10,
      writes: 20,
      readBytes: 40_960,
      writtenBytes: 163_840,
    })
  })

  it('reads /proc/diskstats once', () => {
    const { tree, take } = node([virtio('vdb', A), virtio('vdc', B)])
    take()

    expect(tree.reads.filter((path) => path === '/proc/diskstats')).toHaveLength(1)
  })
})

describe('a device name that is used again', () => {
  const before = virtio('vdb', A, { row: stats(900) })
  const after = virtio('vdb', B, { row: stats(3) })

  it.each([true, false])('has the new volume with its own counters (events: %s)', (events) => {
    const { tree, take } = node([before], events)
    take()
    tree.become([after])

    expect(take().counted).toEqual([`vdb ${B} 3`])
  })

  it.each([true, false])(
    'has no counters when it changes hands between serial and statistics (events: %s)',
    (events) => {
      const { tree, take } = node([before], events)
      tree.before('/proc/diskstats', () => tree.become([after]))

      expect(take()).toEqual({ counted: [], skipped: ['vdb replaced'] })
      expect(take().counted).toEqual([`vdb ${B} 3`])
    },
  )

  it('is noticed by the serial where the kernel has no diskseq', () => {
    const { tree, take } = node([virtio('vdb', A, { diskseq: null })], false)
    tree.before('/proc/diskstats', () =>
      tree.become([virtio('vdb', B, { diskseq: null, row: stats(3) })]),
    )

    expect(take().skipped).toEqual(['vdb replaced'])
  })

  it('is counted on when the same volume stays and another disk comes', () => {
    const { tree, take } = node([before])
    tree.before('/proc/diskstats', () => tree.become([before, virtio('vdc', B)]))

    expect(take().counted).toEqual([`vdb ${A} 900`])
    expect(take().counted).toEqual([`vdb ${A} 900`, `vdc ${B} 100`])
  })
})

describe('a disk that is unplugged', () => {
  it('between its serial and the statistics is not counted, the others are', () => {
    const other = virtio('vdc', B)
    const { tree, take } = node([virtio('vdb', A), other])
    tree.before('/proc/diskstats', () => tree.become([other]))

    expect(take()).toEqual({ counted: [`vdc ${B} 100`], skipped: [] })
  })

  it('between the listing and its serial is not counted, the others are', () => {
    const other = virtio('vdc', B)
    const { tree, take } = node([virtio('vdb', A), other])
    tree.before('/sys/block/vdb/diskseq', () => tree.become([other]))

    expect(take()).toEqual({ counted: [`vdc ${B} 100`], skipped: [] })
  })
})

describe('what is read again', () => {
  const serialReads = (tree: NodeTree) => tree.reads.filter((p) => p.endsWith('/serial')).length

  it('is not the serial of a virtio disk, which asks the hypervisor each time', () => {
    const { tree, take } = node([virtio('vdb', A)], false)
    take()
    take()
    take()

    expect(serialReads(tree)).toBe(1)
  })

  it('is the serial of a disk that had none', () => {
    const { tree, take } = node([disk('vdb', {})])
    take()
    tree.put('/sys/block/vdb/serial', cut(A))

    expect(take().counted).toEqual([`vdb ${cut(A)} 100`])
  })

  it('is what a SCSI disk is, since its LUN can be mapped anew', () => {
    const { tree, take } = node([scsi('sdb', { vpd_pg80: page80(A) })])
    take()
    tree.put('/sys/block/sdb/device/vpd_pg80', page80(B))

    expect(take().counted).toEqual([`sdb ${B} 100`])
  })

  it('is the accounting: a disk whose counters stand still is left out at once', () => {
    const { tree, take } = node([virtio('vdb', A)])
    take()
    tree.put('/sys/block/vdb/queue/iostats', '0\n')

    expect(take().skipped).toEqual(['vdb accounting_off'])
  })

  it('is on a node with 500 disks some disks at a time, all of them within eight scrapes', () => {
    const many = Array.from({ length: 500 }, (_, n) =>
      virtio(`vd${n}`, `${A.slice(0, -3)}${String(n).padStart(3, '0')}`),
    )
    const { tree, take } = node(many)
    take()
    const afterFirst = tree.reads.length
    expect(take().counted).toHaveLength(500)
    expect(tree.reads.length - afterFirst).toBeLessThan(70)

    tree.put('/sys/block/vd321/queue/iostats', '0\n')
    const skipped = Array.from({ length: 8 }, take).at(-1)?.skipped
    expect(skipped).toEqual(['vd321 accounting_off'])
  })
})
