import { describe, expect, it } from 'vitest'
import { createVirtualClock } from '../../test/virtual-clock.ts'
import type { DisksAnswer } from '../activity/gnocchi/client.ts'
import type { DisksRead, Lack, Span } from '../activity/gnocchi/disk-reader.ts'
import { diskKey } from '../activity/gnocchi/disk.ts'
import type { DiskId } from '../activity/gnocchi/disk.ts'
import type { Sample } from '../activity/gnocchi/usage.ts'
import type { CinderVolume } from '../openstack/types.ts'
import { createFleetReader } from './read-fleet.ts'

const NOW = 1_800_000_700 // 100 s after a period's end
const PERIOD_START = NOW - 400
const SERVER = '5f4c1100-0000-4000-8000-000000000001'

const idOf = (n: number) => `0b0fd3a3-0000-4000-8000-00000000000${n}`
const keyOf = (device: string) => diskKey({ serverId: SERVER, device })
const signal = new AbortController().signal

/** Attached as the given device, or not at all; since a day ago. */
function volume(n: number, device?: string, attachedAt = NOW - 86_400): CinderVolume {
  const since = new Date(attachedAt * 1000).toISOString()
  return {
    id: idOf(n),
    status: device === undefined ? 'available' : 'in-use',
    sizeGiB: 1,
    typeName: 'hot',
    typeId: 't',
    availabilityZone: 'nova',
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
    multiattach: false,
    encrypted: false,
    bootable: false,
    attachments: device === undefined ? [] : [{ serverId: SERVER, device, attachedAt: since }],
    metadata: {},
  }
}

const sample = (startSeconds: number, readRequests = 10): Sample => ({
  startSeconds,
  readRequests,
  writeRequests: 20,
  readBytes: 30,
  writeBytes: 40,
})

function setUp(options: {
  volumes: readonly CinderVolume[]
  samples?: Record<string, readonly Sample[]>
  lacking?: Record<string, Lack>
  known?: readonly string[]
  disks?: DisksAnswer
  failed?: string
  intervalSeconds?: number
}) {
  const asked: { disks: readonly DiskId[]; span: Span }[] = []
  const clock = createVirtualClock(NOW * 1000)
  const known = (options.known ?? []).map((device) => ({
    serverId: SERVER,
    device,
    resourceId: device,
    metrics: new Map<string, string>(),
  }))
  const read = createFleetReader({
    volumes: {
      listVolumes: async function* () {
        yield await Promise.resolve(options.volumes)
      },
    },
    client: { disks: () => Promise.resolve(options.disks ?? { kind: 'Disks', disks: known }) },
    reader: {
      read: (disks, span): Promise<DisksRead> => {
        asked.push({ disks, span })
        if (options.failed !== undefined)
          return Promise.resolve({ kind: 'Failed', why: options.failed })
        return Promise.resolve({
          kind: 'Samples',
          samples: new Map(Object.entries(options.samples ?? {})),
          lacking: new Map(Object.entries(options.lacking ?? {})),
          doubled: [],
          intervalSeconds: options.intervalSeconds,
        })
      },
    },
    granularitySeconds: 300,
    clock,
  })
  return { read, asked, clock }
}

describe('the counters of the fleet', () => {
  it('are those of the disk that a volume is attached as', async () => {
    const { read, asked } = setUp({
      volumes: [volume(1, '/dev/vdb'), volume(2)],
      samples: { [keyOf('vdb')]: [sample(PERIOD_START - 300, 5), sample(PERIOD_START)] },
    })
    const point = { readRequests: 10, writeRequests: 20, readBytes: 30, writeBytes: 40 }
    expect(await read(signal)).toMatchObject({
      disks: [
        {
          volumeId: idOf(1),
          serverId: SERVER,
          device: 'vdb',
          point: { ...point, atSeconds: PERIOD_START + 300 },
        },
      ],
      measured: 1,
      detached: 1,
    })
    expect(asked.map((a) => a.disks)).toEqual([[{ serverId: SERVER, device: 'vdb' }]])
  })

  it.each<[string, string, Lack]>([
    ['no_resource', 'Gnocchi does not know its disk', 'NoDisk'],
    ['no_mean', 'the mean is not kept', 'NoMean'],
    ['no_granularity', 'the granularity is not kept', 'NoGranularity'],
    ['not_asked', 'another disk spoilt the question', 'NotAskedYet'],
    ['contradicted', 'two resources say different things', 'Contradicted'],
  ])('are missing with reason %s where %s', async (reason, _, lack) => {
    const { read } = setUp({
      volumes: [volume(1, '/dev/vdb')],
      lacking: { [keyOf('vdb')]: lack },
    })
    const fleet = await read(signal)
    expect(fleet.skipped).toEqual(new Map([[idOf(1), reason]]))
    expect(fleet).toMatchObject({ disks: [], measured: 0 })
  })

  it.each<[string, string, CinderVolume, readonly Sample[]]>([
    ['no_measures', 'there are none', volume(1, '/dev/vdb'), []],
    ['stale', 'they ended long ago', volume(1, '/dev/vdb'), [sample(PERIOD_START - 1200)]],
    [
      'young',
      'they may be of the volume that was there before',
      volume(1, '/dev/vdb', PERIOD_START + 1),
      [sample(PERIOD_START)],
    ],
    ['no_device', 'Cinder names no device', volume(1, ''), []],
  ])('are missing with reason %s where %s', async (reason, _, attached, samples) => {
    const { read } = setUp({ volumes: [attached], samples: { [keyOf('vdb')]: samples } })
    const fleet = await read(signal)
    expect(fleet.skipped).toEqual(new Map([[idOf(1), reason]]))
    expect(fleet.disks).toEqual([])
  })

  it('are of neither of two volumes that claim one device', async () => {
    const { read } = setUp({
      volumes: [volume(1, '/dev/vdb'), volume(2, '/dev/vdb')],
      samples: { [keyOf('vdb')]: [sample(PERIOD_START)] },
    })
    const fleet = await read(signal)
    expect([...fleet.skipped.values()]).toEqual(['shared_device', 'shared_device'])
    expect(fleet).toMatchObject({ disks: [], measured: 0 })
  })

  it('of a volume on two servers are shown as far as they go, and the volume counts as not measured', async () => {
    const both = { ...volume(1, '/dev/vdb'), multiattach: true }
    const other = { ...both.attachments[0]!, serverId: SERVER.replace(/1$/, '2') }
    const { read } = setUp({
      volumes: [{ ...both, attachments: [...both.attachments, other] }],
      samples: { [keyOf('vdb')]: [sample(PERIOD_START)] },
    })
    const fleet = await read(signal)
    expect(fleet.disks.map((d) => d.serverId)).toEqual([SERVER])
    expect(fleet.skipped).toEqual(new Map([[idOf(1), 'no_measures']]))
    expect(fleet.measured).toBe(0)
  })

  it('leave out disks that linger in Gnocchi, and count them', async () => {
    const { read } = setUp({ volumes: [volume(1, '/dev/vdb')], known: ['vda', 'vdb', 'vdc'] })
    expect((await read(signal)).unmappedDisks).toBe(2)
  })

  it.each([
    ['the list of disks', { disks: { kind: 'Failed' as const, why: 'Gnocchi is away' } }],
    ['a question', { failed: 'Gnocchi is away' }],
  ])('are not reported at all when %s fails', async (_, fault) => {
    const { read } = setUp({ volumes: [volume(1, '/dev/vdb')], ...fault })
    await expect(read(signal)).rejects.toThrow('Gnocchi is away')
  })
})

describe('a cloud that polls every 15 minutes', () => {
  it('has no stale disks once that was measured', async () => {
    const { read, asked } = setUp({
      volumes: [volume(1, '/dev/vdb')],
      samples: { [keyOf('vdb')]: [sample(PERIOD_START - 900)] },
      intervalSeconds: 900,
    })
    expect((await read(signal)).measured).toBe(1)
    await read(signal)
    const [first, second] = asked.map((a) => a.span.stopSeconds - a.span.startSeconds)
    expect(first).toBeLessThan(second!)
    expect(second).toBeGreaterThan(3 * 900)
  })
})
