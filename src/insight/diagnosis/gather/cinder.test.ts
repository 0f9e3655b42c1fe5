import { expect, it } from 'vitest'
import type { Session } from '../../../openstack/session.ts'
import { noBackendOf } from './cinder.ts'

it.each([
  ['2026-01-20T12:00:00.000000', [Date.UTC(2026, 0, 20, 12)]],
  ['2026-01-20T12:00:00+00:00', [Date.UTC(2026, 0, 20, 12)]],
  ['2026-01-20T12:00:00Z', [Date.UTC(2026, 0, 20, 12)]],
  ['48', []],
  ['', []],
])('a message of Cinder made at "%s" is at %j', async (created_at, times) => {
  const message = { event_id: 'VOLUME_VOLUME_001_003', resource_uuid: 'v', created_at }
  const json = { messages: [message] }
  const session = {
    request: () => Promise.resolve({ status: 200, headers: {}, json, requestId: undefined }),
    clean: (text: string) => text,
  } as unknown as Session
  const found = await noBackendOf(session, new AbortController().signal)
  expect(found.map((m) => m.at)).toEqual(times)
})
