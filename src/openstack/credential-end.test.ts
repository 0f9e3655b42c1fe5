import { expect, it } from 'vitest'
import { createVirtualClock } from '../../test/virtual-clock.ts'
import { silentLog } from '../log.ts'
import { createRegistry } from '../metrics.ts'
import type { Owner } from './authenticate.ts'
import { CredentialEnd } from './credential-end.ts'
import { createSession } from './session.ts'
import { scriptedHttp, setUp, testCredentials, tokenReply } from './testing.ts'
import type { Reply } from './testing.ts'

const ROUTE = 'GET /v3/users/u1/application_credentials/app-1'
const OURS: Owner = { userId: 'u1', applicationCredentialId: 'app-1' }
const IDENTITY = {
  type: 'identity',
  name: 'keystone',
  endpoints: [{ interface: 'public', region: 'RegionOne', url: 'https://keystone.test/v3' }],
}

async function shown(owner: Owner, reply: Reply): Promise<number | undefined> {
  const login = {
    status: 201,
    headers: { 'x-subject-token': 'marker-token-1' },
    json: {
      token: {
        expires_at: '2030-06-01T13:00:00Z',
        issued_at: '2030-06-01T12:00:00Z',
        project: { id: 'p1' },
        catalog: [IDENTITY],
      },
    },
  }
  const { session } = setUp({ [ROUTE]: reply, 'POST /v3/auth/tokens': login })
  const registry = createRegistry()
  await new CredentialEnd(registry, silentLog).note(session, owner)
  const page = await registry.metrics()
  const line = /^couchestor_openstack_credential_expires_timestamp_seconds (\S+)$/m.exec(page)
  return line === null ? undefined : Number(line[1])
}

const answer = (expires_at: string | null): Reply => ({
  json: { application_credential: { id: 'app-1', expires_at } },
})
const END = Date.UTC(2031, 0, 2, 3, 4, 5) / 1000

it.each<[string, Owner, Reply, number | undefined]>([
  ['the end of an application credential', OURS, answer('2031-01-02T03:04:05.000000'), END],
  ['nothing for one without an end', OURS, answer(null), undefined],
  ['nothing when Keystone refuses to show it', OURS, { status: 403, json: {} }, undefined],
  ['nothing when the answer makes no sense', OURS, { text: 'gone' }, undefined],
  ['the end of a password', { userId: 'u1', passwordEnd: END * 1000 }, {}, END],
  [
    'nothing of the password when an application credential without an end is used',
    { ...OURS, passwordEnd: END * 1000 },
    answer(null),
    undefined,
  ],
])('reports %s', async (_, owner, reply, end) => {
  expect(await shown(owner, reply)).toBe(end)
})

it('does not log in again and again for a credential whose access rules hide it from itself', async () => {
  const owner = { user: { id: 'u1' }, application_credential: { id: 'app-1' } }
  let logins = 0
  const { http, of } = scriptedHttp({
    // Keystone says 401, not 403, to what the access rules do not allow
    [ROUTE]: (_, nth) => ({ status: nth <= 20 ? 401 : 200, json: {} }),
    'POST /v3/auth/tokens': () => tokenReply(++logins, 3600, { ...owner, catalog: [IDENTITY] }),
  })
  const credentialEnd = new CredentialEnd(createRegistry(), silentLog)
  const notes: Promise<void>[] = []
  const session = createSession({
    http,
    credentials: testCredentials,
    clock: createVirtualClock(Date.UTC(2030, 5, 1, 12)),
    random: () => 0.5,
    log: silentLog,
    onLogin: (who) => void notes.push(credentialEnd.note(session, who)),
  })
  await session.projectId()
  for (let i = 0; i < notes.length; i += 1) await notes[i]
  expect(of('POST /v3/auth/tokens').length).toBeLessThanOrEqual(2)
})
