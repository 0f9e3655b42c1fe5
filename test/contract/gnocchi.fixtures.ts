import { randomUUID } from 'node:crypto'
import { createGnocchiClient } from '../../src/activity/gnocchi/client.ts'
import type { GnocchiClient } from '../../src/activity/gnocchi/client.ts'
import type { DiskId } from '../../src/activity/gnocchi/disk.ts'
import { DISK_METRICS } from '../../src/activity/gnocchi/metric-names.ts'
import { createHttpClient } from '../../src/http.ts'
import { silentLog } from '../../src/log.ts'
import { systemClock } from '../../src/main/system-clock.ts'
import { SecretText } from '../../src/openstack/secret-text.ts'
import { createSession } from '../../src/openstack/session.ts'
import { passwordAuth } from './cloud-target.ts'
import type { CloudTarget } from './cloud-target.ts'
import { call } from './raw-http.ts'
import type { Answer, CallOptions } from './raw-http.ts'

export const DISKS = '/v1/resource/instance_disk'
export const AGGREGATES = '/v1/aggregates'
export const NAMES = Object.values(DISK_METRICS)
/** A time the measures of the contract lie around: a whole hour, some hours ago. Seconds. */
export const hourBefore = (now: number) => Math.floor(now / 3_600_000) * 3600 - 4 * 3600

/** A Gnocchi the contract is tried on, through a member and an administrator of its cloud. */
export type GnocchiStage = {
  readonly target: CloudTarget
  /** Asks for JSON by name, as the operator does. */
  member(method: string, path: string, options?: CallOptions): Promise<Answer>
  admin(method: string, path: string, options?: CallOptions): Promise<Answer>
  stranger(method: string, path: string, options?: CallOptions): Promise<Answer>
  readonly url: string
  readonly token: string
  /** The operator's own client, with an application credential. */
  readonly client: GnocchiClient
  /** Logs the operator's session out at Keystone, behind its back. */
  revoke(): Promise<void>
  /** A server of its own with one disk per name; `policies` by metric, default all four `ceilometer-low-rate`. */
  disk(
    device: string,
    policies?: Readonly<Record<string, string>>,
    serverId?: string,
  ): Promise<DiskId>
  /** Posts `[seconds, value]` of metrics of a disk, and waits until they can be read. */
  post(
    disk: DiskId,
    points: Readonly<Record<string, readonly (readonly [number, number])[]>>,
  ): Promise<void>
  close(): Promise<void>
}

const JSON_ONLY = { accept: 'application/json' }

export async function openGnocchi(target: CloudTarget): Promise<GnocchiStage> {
  const member = await login(target, passwordAuth(target.couchestor))
  const admin = await login(target, passwordAuth(target.admin))
  const stranger = await login(target, passwordAuth(target.other))
  const asker =
    (token: string) =>
    (method: string, path: string, options: CallOptions = {}) =>
      call(method, `${member.url}${path}`, {
        token,
        ...options,
        headers: { ...JSON_ONLY, ...options.headers },
      })
  const asMember = asker(member.token)
  const http = createHttpClient()
  const tokens: string[] = []
  const session = createSession({
    http: {
      close: () => http.close(),
      request: async (req) => {
        const answer = await http.request(req)
        const token = answer.headers['x-subject-token']
        if (token !== undefined) tokens.push(token)
        return answer
      },
    },
    credentials: {
      authUrl: target.authUrl,
      auth: {
        kind: 'applicationCredential',
        credential: { id: target.operator.id },
        secret: new SecretText(target.operator.secret),
      },
      interface: 'public',
      endpointOverrides: {},
      tls: { insecure: false },
    },
    clock: { ...systemClock, now: target.now },
    random: Math.random,
    log: silentLog,
  })
  const made: string[] = []
  return {
    target,
    url: member.url,
    token: member.token,
    member: asMember,
    admin: asker(admin.token),
    stranger: asker(stranger.token),
    client: createGnocchiClient({ session }),
    revoke: async () => {
      const token = tokens.at(-1) ?? ''
      const answer = await call('DELETE', `${target.authUrl}/auth/tokens`, {
        token,
        headers: { 'x-subject-token': token },
      })
      if (answer.status !== 204) throw new Error(`revoke: ${answer.status} ${answer.text}`)
    },
    disk: async (device, policies, serverId = randomUUID()) => {
      const body = diskBody({ serverId, device }, policies)
      const answer = await asMember('POST', DISKS, { body })
      if (answer.status !== 201) throw new Error(`disk: ${answer.status} ${answer.text}`)
      made.push(answer.body.id)
      return { serverId, device }
    },
    post: async (disk, points) => {
      const id = `${disk.serverId}-${disk.device}`
      const measures = Object.entries(points).map(([name, of]) => [
        name,
        of.map(([timestamp, value]) => ({ timestamp, value })),
      ])
      const body = { [id]: Object.fromEntries(measures) }
      const answer = await asMember('POST', '/v1/batch/resources/metrics/measures', { body })
      if (answer.status !== 202) throw new Error(`post: ${answer.status} ${answer.text}`)
      for (const [name, of] of Object.entries(points))
        await settled(target, () => asMember('GET', `${DISKS}/${id}/metric/${name}/measures`), of)
    },
    close: async () => {
      // Gnocchi refuses to delete for who asks for JSON
      for (const id of made)
        await call('DELETE', `${member.url}${DISKS}/${id}`, { token: member.token })
      await http.close()
      await target.stop()
    },
  }
}

export function diskBody(
  { serverId, device }: DiskId,
  policies: Readonly<Record<string, string>> = Object.fromEntries(
    NAMES.map((name) => [name, 'ceilometer-low-rate']),
  ),
) {
  const metrics = Object.entries(policies).map(([name, policy]) => [
    name,
    { archive_policy_name: policy },
  ])
  return {
    id: `${serverId}-${device}`,
    name: device,
    instance_id: serverId,
    metrics: Object.fromEntries(metrics),
  }
}

async function login(target: CloudTarget, auth: unknown): Promise<{ url: string; token: string }> {
  const answer = await call('POST', `${target.authUrl}/auth/tokens`, { body: auth })
  const entry = answer.body.token.catalog.find((e: { type: string }) => e.type === 'metric')
  const face = entry.endpoints.find((e: { interface: string }) => e.interface === 'public')
  return { url: face.url, token: answer.headers['x-subject-token']! }
}

/** metricd works behind the API. */
async function settled(
  target: CloudTarget,
  read: () => Promise<Answer>,
  points: readonly (readonly [number, number])[],
): Promise<void> {
  const newest = Math.max(...points.map(([at]) => at))
  for (let tries = 0; tries < 480; tries += 1) {
    const rows = (await read()).body as [string, number, number][]
    if (rows.some(([start, granularity]) => Date.parse(start) / 1000 + granularity > newest)) return
    await target.pass(250)
  }
  throw new Error('metricd has not worked through what was posted')
}
