import { describe, expect, it } from 'vitest'
import { DISK_METRICS, mapMetrics, metricOf } from './metric-names.ts'

describe('metricOf', () => {
  it.each([
    ['volume.read.requests.rate', 'disk.device.read.requests', /no Ceilometer has/],
    ['volume.write.bytes.rate', 'disk.device.write.bytes', /no Ceilometer has/],
    ['disk.device.write.requests.rate', 'disk.device.write.requests', /no longer has/],
    ['disk.device.read.bytes', 'disk.device.read.bytes', /^none$/],
    ['our.own.name', 'our.own.name', /^none$/],
  ])('reads %s as %s', (name, real, note) => {
    const mapped = metricOf(name)
    expect(mapped).toMatchObject({ kind: 'Metric', name: real })
    expect('note' in mapped ? mapped.note : 'none').toMatch(note)
  })

  it.each([
    ['volume.io.latency', /latency is not used/],
    ['disk.device.read.latency', /latency is not used/],
    ['disk.read.requests', /counts all disks of a server together/],
    ['volume.size', /measure sizes/],
  ])('has nothing for %s', (name, why) => {
    expect(metricOf(name)).toEqual({ kind: 'Nothing', why: expect.stringMatching(why) as string })
  })
})

describe('mapMetrics', () => {
  it("takes the guide's mapping, and says line by line what is read instead", () => {
    const mapping = mapMetrics(
      {
        volume_iops_read: 'volume.read.requests.rate',
        volume_iops_write: 'volume.write.requests.rate',
        volume_throughput_read: 'volume.read.bytes.rate',
        volume_throughput_write: 'volume.write.bytes.rate',
        volume_latency: 'volume.io.latency',
      },
      'metrics_mapping',
    )
    expect(mapping.names).toEqual(DISK_METRICS)
    expect(mapping.mistakes).toEqual([])
    expect(mapping.notes).toHaveLength(5)
    expect(mapping.notes[0]).toMatch(/^metrics_mapping.volume_iops_read: /)
    expect(mapping.notes[4]).toMatch(/^metrics_mapping.volume_latency: latency is not used/)
  })

  it.each([
    [{ volume_iops_read: 'disk.read.requests' }, /all disks of a server.*write disk\.device\.read/],
    [{ iops: 'disk.device.read.requests' }, /m\.iops is unknown: write one of volume_iops_read/],
    // bytes counted as if they were requests would make a busy volume look idle
    [
      { volume_throughput_read: 'disk.device.read.requests' },
      /m\.volume_throughput_read is "disk\.device\.read\.requests": .* something else; write disk\.device\.read\.bytes/,
    ],
  ])('says of %j what to write', (given, mistake) => {
    const mapping = mapMetrics(given, 'm')
    expect(mapping.mistakes).toEqual([expect.stringMatching(mistake)])
    expect(mapping.names).toEqual(DISK_METRICS)
  })
})
