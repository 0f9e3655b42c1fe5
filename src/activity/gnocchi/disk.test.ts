import { expect, it } from 'vitest'
import { diskKey, diskOf, diskOfAttachment } from './disk.ts'

const SERVER = 'a1b2c3d4-2222-4333-8444-555555555555'

it.each([
  ['/dev/vdb', SERVER, 'vdb'],
  ['vdb', SERVER, 'vdb'],
  ['/dev/sdc', SERVER.toUpperCase(), 'sdc'],
])('the attachment %s of %s is the disk %s', (device, serverId, name) => {
  expect(diskOfAttachment({ serverId, device })).toEqual({ serverId: SERVER, device: name })
})

it.each([
  ['', SERVER],
  ['/dev/', SERVER],
  ['/dev/vdb', ''],
  ['/dev/vdb', 'host-1'],
])('the attachment "%s" of "%s" is none that can be asked for', (device, serverId) => {
  expect(diskOfAttachment({ serverId, device })).toBeUndefined()
})

it('reads back the id of a resource, and takes no other resource for a disk', () => {
  const disk = { serverId: SERVER, device: 'vdb' }
  expect(diskOf(diskKey(disk))).toEqual(disk)
  expect(diskOf(SERVER)).toBeUndefined()
  expect(diskOf('tap-something-else')).toBeUndefined()
})
