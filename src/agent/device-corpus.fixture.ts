import {
  A,
  B,
  cut,
  disk,
  Fault,
  naa83,
  nvme,
  page80,
  page83,
  scsi,
  stats,
  text83,
  virtio,
} from './node-tree.fixture.ts'
import type { DiskSpec } from './node-tree.fixture.ts'

/** One node: what it shows, and as `device volume reads` and `device reason` what is to be made of it. */
export type CorpusCase = {
  readonly what: string
  readonly disks: readonly DiskSpec[]
  readonly counted: readonly string[]
  readonly skipped: readonly string[]
}

const bare = (id: string) => id.replaceAll('-', '')
const stacked = (name: string) => disk(name, {}, { row: stats(999) })
const root = disk('vda', {}, { row: stats(5000) })
/** Same first 20 characters as A. */
const TWIN = `${cut(A)}999-999999999999`

const counts = (what: string, disks: readonly DiskSpec[], ...counted: string[]): CorpusCase => ({
  what,
  disks,
  counted,
  skipped: [],
})
const skips = (what: string, disks: readonly DiskSpec[], ...skipped: string[]): CorpusCase => ({
  what,
  disks,
  counted: [],
  skipped,
})

const VIRTIO: readonly CorpusCase[] = [
  counts('a virtio serial cut to 20 characters', [virtio('vdb', cut(A))], `vdb ${cut(A)} 100`),
  counts('a whole virtio serial', [virtio('vdb', A)], `vdb ${A} 100`),
  counts('a virtio serial with a line end', [virtio('vdb', `${A}\n`)], `vdb ${A} 100`),
  counts('a serial in capitals', [virtio('vdb', A.toUpperCase())], `vdb ${A} 100`),
  counts('a serial padded with zero bytes', [virtio('vdb', `${cut(A)}\0\0`)], `vdb ${cut(A)} 100`),
  counts('the 30th virtio disk, named vdad', [virtio('vdad', cut(A))], `vdad ${cut(A)} 100`),
  counts(
    'two volumes of a node',
    [virtio('vdb', cut(A)), virtio('vdc', cut(B), { row: stats(7) })],
    `vdb ${cut(A)} 100`,
    `vdc ${cut(B)} 7`,
  ),
  skips('a root disk without a serial', [root], 'vda no_serial'),
  skips('an empty serial', [virtio('vdb', '\n')], 'vdb no_serial'),
  skips('a serial that somebody chose', [virtio('vdb', 'config-drive')], 'vdb foreign_serial'),
  skips('a serial of 19 characters', [virtio('vdb', A.slice(0, 19))], 'vdb foreign_serial'),
  skips('a serial that cannot be read', [virtio('vdb', new Fault('EIO'))], 'vdb unreadable'),
  skips(
    'two virtio disks with the same cut serial',
    [virtio('vdb', cut(A)), virtio('vdc', cut(TWIN))],
    'vdb shared_serial',
    'vdc shared_serial',
  ),
]

const SCSI: readonly CorpusCase[] = [
  counts('a whole serial in page 80', [scsi('sdb', { vpd_pg80: page80(A) })], `sdb ${A} 100`),
  counts(
    'a cut serial in page 80',
    [scsi('sdb', { vpd_pg80: page80(cut(A)) })],
    `sdb ${cut(A)} 100`,
  ),
  counts(
    'a cut serial in page 80 and the whole one in page 83',
    [scsi('sdb', { vpd_pg80: page80(cut(A)), vpd_pg83: page83(text83(0, A)) })],
    `sdb ${A} 100`,
  ),
  counts(
    'page 80 padded with blanks',
    [scsi('sdb', { vpd_pg80: page80(`  ${A}  `) })],
    `sdb ${A} 100`,
  ),
  counts(
    'no page 80, and a wwid of QEMU',
    [scsi('sdb', { wwid: `t10.QEMU    QEMU HARDDISK   ${A}\n` })],
    `sdb ${A} 100`,
  ),
  counts(
    'the id without dashes as a world-wide name, as ESXi reports it',
    [scsi('sdb', { vpd_pg80: page80('6000c29'), wwid: `naa.${bare(A)}\n` })],
    `sdb ${A} 100`,
  ),
  counts(
    'the id without dashes in page 83 only',
    [scsi('sdb', { vpd_pg83: page83(text83(1, 'VMware disk'), naa83(bare(A))) })],
    `sdb ${A} 100`,
  ),
  counts(
    'page 80 that cannot be read, and a good wwid',
    [scsi('sdb', { vpd_pg80: new Fault('EIO'), wwid: `t10.QEMU QEMU HARDDISK ${A}` })],
    `sdb ${A} 100`,
  ),
  skips(
    'a storage array whose world-wide name has the length of an id',
    [scsi('sdb', { wwid: 'naa.60000970000197800382533030334433' })],
    'sdb foreign_serial',
  ),
  skips(
    'a storage array whose world-wide name is an id but for its version',
    [scsi('sdb', { wwid: 'naa.60000970000177808382533030334433' })],
    'sdb foreign_serial',
  ),
  skips(
    'the name of a drive instead of a serial',
    [scsi('sda', { vpd_pg83: page83(text83(0, 'drive-scsi0-0-0-0')) })],
    'sda foreign_serial',
  ),
  skips(
    'page 80 cut off within its header',
    [scsi('sdb', { vpd_pg80: Uint8Array.from([0, 0x80]) })],
    'sdb no_serial',
  ),
  skips(
    'a page 83 whose lengths lie',
    [scsi('sdb', { vpd_pg83: Uint8Array.from([0, 0x83, 0, 8, 2, 0, 0, 200, 65, 65, 65, 65]) })],
    'sdb no_serial',
  ),
  skips(
    'a disk of a raid controller, with a slash in its name',
    [scsi('cciss!c0d0', { vpd_pg80: page80('P42D42') })],
    'cciss/c0d0 foreign_serial',
  ),
]

const wwid = 'naa.6000d31000ffff000000000000000011'
const PATHS: readonly CorpusCase[] = [
  counts(
    'two paths below a multipath device, each counted once and the device on top not at all',
    [
      scsi('sdb', { vpd_pg80: page80(A) }),
      scsi('sdc', { vpd_pg80: page80(A) }, { row: stats(30) }),
      stacked('dm-0'),
    ],
    `sdb ${A} 100`,
    `sdc ${A} 30`,
  ),
  counts(
    'two paths with a cut serial and the same world-wide name',
    [
      scsi('sdb', { vpd_pg80: page80(cut(A)), wwid }),
      scsi('sdc', { vpd_pg80: page80(cut(A)), wwid }),
    ],
    `sdb ${cut(A)} 100`,
    `sdc ${cut(A)} 100`,
  ),
  skips(
    'two disks with a cut serial and different world-wide names',
    [
      scsi('sdb', { vpd_pg80: page80(cut(A)), wwid }),
      scsi('sdc', { vpd_pg80: page80(cut(A)), wwid: `${wwid.slice(0, -1)}2` }),
    ],
    'sdb shared_serial',
    'sdc shared_serial',
  ),
  skips(
    'a path without accounting, whose volume would look half as busy',
    [
      scsi('sdb', { vpd_pg80: page80(A) }, { iostats: '0\n' }),
      scsi('sdc', { vpd_pg80: page80(A) }),
    ],
    'sdb accounting_off',
    'sdc other_path',
  ),
  counts('a cut NVMe serial', [nvme('nvme1n1', `${cut(A)}\n`)], `nvme1n1 ${cut(A)} 100`),
  counts(
    'native NVMe multipath: the paths, not their head',
    [
      nvme('nvme0n1', cut(A), { row: stats(900) }),
      nvme('nvme0c0n1', cut(A), { row: stats(60) }),
      nvme('nvme0c1n1', cut(A), { row: stats(40) }),
    ],
    `nvme0c0n1 ${cut(A)} 60`,
    `nvme0c1n1 ${cut(A)} 40`,
  ),
  counts(
    'an NVMe head whose hidden paths have no rows',
    [nvme('nvme0n1', cut(A)), { ...nvme('nvme0c0n1', cut(A)), row: undefined }],
    `nvme0n1 ${cut(A)} 100`,
  ),
  skips(
    'two namespaces of one NVMe controller',
    [nvme('nvme0n1', A), nvme('nvme0n2', A)],
    'nvme0n1 shared_serial',
    'nvme0n2 shared_serial',
  ),
  skips('a local NVMe disk', [nvme('nvme0n1', 'S4EWNX0R123456')], 'nvme0n1 foreign_serial'),
]

const STACKED: readonly CorpusCase[] = [
  counts(
    'partitions, which roll up to their disk',
    [{ ...virtio('vdb', A), more: [`vdb1 ${stats(60)}`, `vdb2 ${stats(40)}`] }],
    `vdb ${A} 100`,
  ),
  counts(
    'partitions of an old kernel, with four statistics',
    [{ ...virtio('vdb', A), more: ['vdb1 1 2 3 4'] }],
    `vdb ${A} 100`,
  ),
  counts('dm-crypt on a volume', [virtio('vdb', A), stacked('dm-0')], `vdb ${A} 100`),
  counts(
    'a volume group over two volumes',
    [virtio('vdb', A), virtio('vdc', B), stacked('dm-0'), stacked('dm-1')],
    `vdb ${A} 100`,
    `vdc ${B} 100`,
  ),
  counts(
    'software raid over two volumes',
    [virtio('vdb', A), virtio('vdc', B), stacked('md127')],
    `vdb ${A} 100`,
    `vdc ${B} 100`,
  ),
  counts(
    'a raw block claim: a loop device of kubelet on the disk',
    [virtio('vdb', A), stacked('loop0')],
    `vdb ${A} 100`,
  ),
  counts(
    'what is no disk of the cloud: ram, zram, nbd, cd-rom, floppy',
    ['ram0', 'zram0', 'nbd3', 'sr0', 'fd0'].map(stacked),
  ),
]

const row = (value: string) => virtio('vdb', A, { row: value })
const STATISTICS: readonly CorpusCase[] = [
  counts('11 statistics, before Linux 4.18', [row(stats(100, 11))], `vdb ${A} 100`),
  counts('15 statistics, with discards', [row(stats(100, 15))], `vdb ${A} 100`),
  counts('17 statistics, with flushes', [row(stats(100, 17))], `vdb ${A} 100`),
  counts('more statistics than are known', [row(`${stats(100)} 1 2 3`)], `vdb ${A} 100`),
  counts('operations beyond 32 bits', [row(stats(5_000_000_000))], `vdb ${A} 5000000000`),
  skips('a row that is too short', [row('1 2 3 4')], 'vdb unreadable'),
  skips(
    'a row with something else than numbers',
    [row('1 2 x 4 5 6 -7 8 9 10 11')],
    'vdb unreadable',
  ),
  skips(
    'a name that stands twice',
    [{ ...virtio('vdb', A), more: [`vdb ${stats(3)}`] }],
    'vdb unreadable',
  ),
  skips('accounting switched off', [virtio('vdb', A, { iostats: '0\n' })], 'vdb accounting_off'),
  counts(
    'a kernel that does not report whether it counts',
    [disk('vdb', { serial: A, 'queue/iostats': new Fault('ENOENT') })],
    `vdb ${A} 100`,
  ),
  counts('a kernel without diskseq', [virtio('vdb', A, { diskseq: null })], `vdb ${A} 100`),
  counts('a disk that has no row yet', [{ ...virtio('vdb', A), row: undefined }]),
  {
    what: 'one bad disk among good ones',
    disks: [virtio('vdb', new Fault('EIO')), virtio('vdc', B)],
    counted: [`vdc ${B} 100`],
    skipped: ['vdb unreadable'],
  },
  counts('no disk at all', []),
]

export const DEVICE_CORPUS: readonly CorpusCase[] = [
  ...VIRTIO,
  ...SCSI,
  ...PATHS,
  ...STACKED,
  ...STATISTICS,
]
