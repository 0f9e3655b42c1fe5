import { expect, it } from 'vitest'
import { isAttached } from './attached.ts'

const LISTED = [{ serverId: 's', device: '/dev/vdb' }]

it.each([
  ['available', [], false],
  ['available', LISTED, true],
  ['in-use', [], true],
  ['attaching', [], true],
  ['detaching', [], true],
  ['reserved', [], true],
  ['error', [], false],
])('a volume that is "%s" with attachments %j is attached: %s', (status, attachments, is) => {
  expect(isAttached({ status, attachments })).toBe(is)
})
