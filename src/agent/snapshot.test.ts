import { describe, expect, it } from 'vitest'
import { createVirtualClock } from '../../test/virtual-clock.ts'
import { DEVICE_CORPUS } from './device-corpus.fixture.ts'
import { createDiskList, IGNORED_DISKS } from './disk-list.ts'
import {
  A,
  B,
  createNodeTree,
  cut,
  disk,
  Hanging,
  page80,
  scsi,
  stats,
  virtio,
} from './node-tree.fixture.ts'
import type { DiskSpec, NodeTree } from './node-tree.fixture.ts'
import { takeSnapshot } from './snapshot.ts'

const C = 'cccccccc-1111-4222-8333-444444444444'

function node(disks: readonly DiskSpec[], events = true) {
  const tree = createNodeTree(disks, events)
  const clock = createVirtualClock(0)
  const list = createDiskList({ files: tree.files, clock, sys: '/sys', ignored: IGNORED_DISKS })
  const snapshot = () => takeSnapshot(tree.files, '/proc', list)
  const take = async () => {
    const { counted, skipped } = await snapshot()
    return {
      counted: counted.map((d) => `${d.device} ${d.volumeId} ${d.counters.reads}`),
      skipped: skipped.map((d) => `${d.device} ${d.reason}`),
    }
  }
  return { tree, take, snapshot, clock }
}

describe('the disks of a node', () => {
  it.each(DEVICE_CORPUS)('$what', async ({ disks, counted, skipped }) => {
    expect(await node(disks).take()).toEqual({ counted, skipped })
  })

  it.each(DEVICE_CORPUS)('is the same on a kernel without event numbers: $what', async (c) => {
    expect(await node(c.disks, false).take()).toEqual({ counted: c.counted, skipped: c.skipped })
  })

  it.each(DEVICE_CORPUS)('is the same in the second scrape: $what', async (c) => {
    const { take } = node(c.disks)
    await take()
    expect(await take()).toEqual({ counted: c.counted, skipped: c.skipped })
  })

  it('counts operations, and bytes in sectors of 512', async () => {
    const { snapshot } = node([virtio('vdb', A, { row: '10 1 80 5 20 2 320 6 0 0 0' })])

    expect((await snapshot()).counted[0]?.counters).toEqual({
      reads: 10,
      writes: 20,
      readBytes: 40_960,
      writtenBytes: 163_840,
    })
  })

  it('reads /proc/diskstats once', async () => {
    const { tree, take } = node([virtio('vdb', A), virtio('vdc', B)])
    await take()

    expect(tree.reads.filter((path) => path === '/proc/diskstats')).toHaveLength(1)
  })
})

describe('a device name that is used again', () => {
  const before = virtio('vdb', A, { row: stats(900) })
  const after = virtio('vdb', B, { row: stats(3) })

  it.each([true, false])(
    'has the new volume with its own counters (events: %s)',
    async (events) => {
      const { tree, take } = node([before], events)
      await take()
      tree.become([after])

      expect((await take()).counted).toEqual([`vdb ${B} 3`])
    },
  )

  it.each([true, false])(
    'has no counters when it changes hands between serial and statistics (events: %s)',
    async (events) => {
      const { tree, take } = node([before], events)
      tree.before('/proc/diskstats', () => tree.become([after]))

      expect(await take()).toEqual({ counted: [], skipped: ['vdb replaced'] })
      expect((await take()).counted).toEqual([`vdb ${B} 3`])
    },
  )

  it('is noticed by the serial where the kernel has no diskseq', async () => {
    const { tree, take } = node([virtio('vdb', A, { diskseq: null })], false)
    tree.before('/proc/diskstats', () =>
      tree.become([virtio('vdb', B, { diskseq: null, row: stats(3) })]),
    )

    expect((await take()).skipped).toEqual(['vdb replaced'])
  })

  it('is counted on when the same volume stays and another disk comes', async () => {
    const { tree, take } = node([before])
    tree.before('/proc/diskstats', () => tree.become([before, virtio('vdc', B)]))

    expect((await take()).counted).toEqual([`vdb ${A} 900`])
    expect((await take()).counted).toEqual([`vdb ${A} 900`, `vdc ${B} 100`])
  })
})

describe('a disk that is unplugged', () => {
  it('between its serial and the statistics is not counted, the others are', async () => {
    const other = virtio('vdc', B)
    const { tree, take } = node([virtio('vdb', A), other])
    tree.before('/proc/diskstats', () => tree.become([other]))

    expect(await take()).toEqual({ counted: [`vdc ${B} 100`], skipped: [] })
  })

  it('between the listing and its serial is not counted, the others are', async () => {
    const other = virtio('vdc', B)
    const { tree, take } = node([virtio('vdb', A), other])
    tree.before('/sys/block/vdb/diskseq', () => tree.become([other]))

    expect(await take()).toEqual({ counted: [`vdc ${B} 100`], skipped: [] })
  })
})

describe('what is read again', () => {
  const serialReads = (tree: NodeTree) => tree.reads.filter((p) => p.endsWith('/serial')).length

  it('is not the serial of a virtio disk, which asks the hypervisor each time', async () => {
    const { tree, take } = node([virtio('vdb', A)], false)
    await take()
    await take()
    await take()

    expect(serialReads(tree)).toBe(1)
  })

  it('is the serial of a disk that had none', async () => {
    const { tree, take } = node([disk('vdb', {})])
    await take()
    tree.put('/sys/block/vdb/serial', cut(A))

    expect((await take()).counted).toEqual([`vdb ${cut(A)} 100`])
  })

  it('is what a SCSI disk is, since its LUN can be mapped again', async () => {
    const { tree, take } = node([scsi('sdb', { vpd_pg80: page80(A) })])
    await take()
    tree.put('/sys/block/sdb/device/vpd_pg80', page80(B))

    expect((await take()).counted).toEqual([`sdb ${B} 100`])
  })

  it('is the accounting: a disk whose counters stand still is left out at once', async () => {
    const { tree, take } = node([virtio('vdb', A)])
    await take()
    tree.put('/sys/block/vdb/queue/iostats', '0\n')

    expect((await take()).skipped).toEqual(['vdb accounting_off'])
  })

  it('is on a node with 500 disks some disks at a time, all of them within 63 scrapes', async () => {
    const many = Array.from({ length: 500 }, (_, n) =>
      virtio(`vd${n}`, `${A.slice(0, -3)}${String(n).padStart(3, '0')}`),
    )
    const { tree, take } = node(many)
    await take()
    const afterFirst = tree.reads.length
    expect((await take()).counted).toHaveLength(500)
    expect(tree.reads.length - afterFirst).toBeLessThan(40)

    tree.put('/sys/block/vd321/queue/iostats', '0\n')
    for (let n = 0; n < 62; n += 1) await take()
    expect((await take()).skipped).toEqual(['vd321 accounting_off'])
  })

  it('is of 500 disks only the sequence when some device of the node comes or goes', async () => {
    const many = Array.from({ length: 500 }, (_, n) =>
      virtio(`vd${n}`, `${A.slice(0, -3)}${String(n).padStart(3, '0')}`),
    )
    const { tree, take } = node(many)
    await take()
    const afterFirst = tree.reads.length
    tree.become(many)

    expect((await take()).counted).toHaveLength(500)
    expect(tree.reads.slice(afterFirst).filter((p) => !p.endsWith('/diskseq')).length).toBeLessThan(
      40,
    )
  })
})

describe('a device whose attributes do not answer', () => {
  const serial = '/sys/block/vdb/serial'
  const iostats = '/sys/block/vdb/queue/iostats'

  it('is left out after a second, and the others are counted', async () => {
    const { take, clock } = node([virtio('vdb', new Hanging(A)), virtio('vdc', B)])
    const first = take()
    await clock.advance(1000)

    expect(await first).toEqual({ counted: [`vdc ${B} 100`], skipped: ['vdb no_answer'] })
  })

  it('costs the next scrapes no time, and is not asked again', async () => {
    const { tree, take, snapshot, clock } = node([virtio('vdb', new Hanging(A)), virtio('vdc', B)])
    const first = take()
    await clock.advance(1000)
    await first

    expect((await snapshot()).hangingReads).toBe(1)
    expect(await take()).toEqual({ counted: [`vdc ${B} 100`], skipped: ['vdb no_answer'] })
    expect(tree.reads.filter((path) => path === serial)).toHaveLength(1)
  })

  it('is counted when it has answered after all, by that answer', async () => {
    const hanging = new Hanging(A)
    const { tree, take, snapshot, clock } = node([virtio('vdb', hanging)])
    const first = take()
    await clock.advance(1000)
    await first
    hanging.returned.resolve()
    await clock.settle()

    expect((await take()).counted).toEqual([`vdb ${A} 100`])
    expect((await snapshot()).hangingReads).toBe(0)
    expect(tree.reads.filter((path) => path === serial)).toHaveLength(1)
  })

  it('is left out as soon as it hangs: its counters stand still and would look like no use', async () => {
    const { tree, take, clock } = node([virtio('vdb', A), virtio('vdc', B)])
    await take()
    tree.put(iostats, new Hanging('1\n'))
    const second = take()
    await clock.advance(1000)

    expect(await second).toEqual({ counted: [`vdc ${B} 100`], skipped: ['vdb no_answer'] })
  })

  it('keeps the other path of its volume from being counted alone', async () => {
    const page = { vpd_pg80: page80(A) }
    const { tree, take, clock } = node([scsi('sdb', page), scsi('sdc', page)])
    await take()
    tree.put('/sys/block/sdb/queue/iostats', new Hanging('1\n'))
    const second = take()
    await clock.advance(1000)

    expect((await second).skipped).toEqual(['sdb no_answer', 'sdc other_path'])
  })

  it('takes with many of its kind two threads at most, and known disks are counted on', async () => {
    const bad = ['vdw', 'vdx', 'vdy', 'vdz'].map((name) => virtio(name, new Hanging(A)))
    const good = [virtio('vdb', A), virtio('vdc', B)]
    const { tree, take, snapshot, clock } = node(good)
    await take()
    tree.become([...bad, ...good])
    const second = take()
    await clock.advance(1000)

    expect((await second).counted).toEqual([`vdb ${A} 100`, `vdc ${B} 100`])
    expect((await snapshot()).hangingReads).toBe(2)
    expect((await take()).skipped).toEqual(bad.map(({ name }) => `${name} no_answer`))
  })

  const unnumbered = (name: string, serial: string | Hanging, row = stats(100)) =>
    virtio(name, serial, { diskseq: null, row })

  it('keeps others waiting, which without diskseq are not taken for the disks that had their names', async () => {
    const { tree, take, clock } = node([unnumbered('vdb', A)])
    await take()
    const bad = ['vdy', 'vdz'].map((name) => unnumbered(name, new Hanging(C)))
    tree.become([...bad, unnumbered('vdb', B, stats(3))])
    const second = take()
    await clock.advance(1000)

    expect((await second).counted).toEqual([])
    expect((await take()).skipped).toContain('vdb no_answer')
  })

  it('is not heard any more when it answers after another disk has taken its name', async () => {
    const hanging = new Hanging(A)
    const { tree, take, clock } = node([unnumbered('vdb', hanging)])
    const first = take()
    await clock.advance(1000)
    await first
    tree.become([unnumbered('vdb', B, stats(3))])
    hanging.returned.resolve()
    await clock.settle()

    expect((await take()).counted).toEqual([`vdb ${B} 3`])
  })

  it('does not keep the disk that takes its name from being counted', async () => {
    const { tree, take, clock } = node([virtio('vdb', new Hanging(A))])
    const first = take()
    await clock.advance(1000)
    await first
    tree.become([virtio('vdb', B)])

    expect((await take()).counted).toEqual([`vdb ${B} 100`])
  })

  it('is read on in later scrapes when it was slow only', async () => {
    const slow = [A, B, C].map((id) => new Hanging(id))
    const names = ['vdb', 'vdc', 'vdd']
    const { take, clock } = node(names.map((name, n) => virtio(name, slow[n]!)))
    const first = take()
    await clock.advance(1000)
    expect((await first).skipped).toEqual(names.map((name) => `${name} no_answer`))
    for (const one of slow) one.returned.resolve()
    await clock.settle()

    expect((await take()).counted).toEqual([`vdb ${A} 100`, `vdc ${B} 100`, `vdd ${C} 100`])
  })
})
