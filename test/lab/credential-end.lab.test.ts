import { afterAll, beforeAll, expect, it } from 'vitest'
import { createHttpClient } from '../../src/http.ts'
import { silentLog } from '../../src/log.ts'
import { systemClock } from '../../src/main/system-clock.ts'
import { createRegistry } from '../../src/metrics.ts'
import { CredentialEnd } from '../../src/openstack/credential-end.ts'
import { readCredentials } from '../../src/openstack/credentials.ts'
import { createSession } from '../../src/openstack/session.ts'
import { describeLab } from './describe-lab.ts'
import { theLab } from './env.ts'
import { eventually } from './eventually.ts'
import { openstack } from './openstack.ts'
import type { RestClient } from './openstack.ts'

const END = new Date(Math.floor(Date.now() / 1000) * 1000 + 10 * 86_400_000)

type Made = { readonly id: string; readonly secret: string }

let member: RestClient
let path: string
const made: Made[] = []

/** An application credential of the member; `expires_at` as Keystone wants it, without a zone. */
async function credential(name: string, end: Date | undefined): Promise<Made> {
  const expires_at = end?.toISOString().replace('Z', '000') ?? null
  const body = { application_credential: { name: `credential-end-${name}`, expires_at } }
  const answer = await member.request('POST', path, body)
  const one = answer.body['application_credential'] as Made
  made.push(one)
  return one
}

/** What the metric reports after a login with that credential, seconds; undefined = nothing. */
async function reportedEnd({ id, secret }: Made): Promise<number | undefined> {
  const registry = createRegistry()
  const end = new CredentialEnd(registry, silentLog)
  const env = {
    OS_AUTH_URL: theLab().env['OS_AUTH_URL'] ?? '',
    OS_APPLICATION_CREDENTIAL_ID: id,
    OS_APPLICATION_CREDENTIAL_SECRET: secret,
  }
  let noted: Promise<void> | undefined
  const session = createSession({
    http: createHttpClient({ connections: 2 }),
    credentials: readCredentials({ env }),
    clock: systemClock,
    random: Math.random,
    log: silentLog,
    onLogin: (owner) => {
      noted = end.note(session, owner)
    },
  })
  await session.projectId()
  await eventually('the login was reported', () => Promise.resolve(noted !== undefined))
  await noted
  const page = await registry.metrics()
  const [, value] = /^couchestor_openstack_credential_expires_\S+ (\S+)$/m.exec(page) ?? []
  return value === undefined ? undefined : Number(value)
}

describeLab('the end of a credential, by the real Keystone', () => {
  beforeAll(async () => {
    member = await openstack('couchestor', 'identity')
    const admin = await openstack('admin', 'identity')
    const { body } = await admin.request('GET', '/users?name=couchestor')
    const [user] = body['users'] as { id: string }[]
    path = `/users/${user?.id}/application_credentials`
  })
  afterAll(async () => {
    for (const { id } of made) await member.request('DELETE', `${path}/${id}`)
  })

  it('is notified of an application credential that has one', async () => {
    expect(await reportedEnd(await credential('dying', END))).toBe(END.getTime() / 1000)
  })

  it('is not notified of one that has none', async () => {
    expect(await reportedEnd(await credential('lasting', undefined))).toBeUndefined()
  })
})
