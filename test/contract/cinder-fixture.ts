import { credentialAuth, openSession, passwordAuth } from './cloud-target.ts'
import type { CloudTarget, Session } from './cloud-target.ts'
import type { Answer, CallOptions, Json } from './raw-http.ts'

/** Sessions on one cloud, what the run has made there, and the way to wait for it. */
export type CinderFixture = {
  readonly cloud: CloudTarget
  /** A plain member, by application credential. */
  readonly member: Session
  readonly admin: Session
  /** A member of another project. */
  readonly other: Session
  /** By tier name. */
  readonly typeId: Readonly<Record<'hot' | 'warm' | 'cold', string>>
  /** `available` when it returns. Deleted at the end of the run. */
  volume(tier: 'hot' | 'warm' | 'cold', extra?: object): Promise<string>
  snapshot(volumeId: string): Promise<string>
  dropSnapshot(id: string): Promise<void>
  /** The volume as the member sees it. */
  show(id: string): Promise<Json>
  asAdmin(id: string): Promise<Json>
  retype(id: string, type: string, policy?: string): Promise<Answer>
  act(id: string, body: object, options?: CallOptions): Promise<Answer>
  /** Waits until a volume is not busy any more and returns it. */
  settle(id: string): Promise<Json>
  until(what: string, done: () => Promise<boolean>, tries?: number): Promise<void>
  close(): Promise<void>
}

const RESTING = ['available', 'in-use', 'error']
const STEP_MS = 250
const TRIES = 480

/** Opens the sessions; `close` removes every volume and snapshot the run has made. */
export async function openCinder(cloud: CloudTarget): Promise<CinderFixture> {
  const member = await openSession(cloud, credentialAuth(cloud.operator))
  const admin = await openSession(cloud, passwordAuth(cloud.admin))
  const other = await openSession(cloud, passwordAuth(cloud.other))
  const { body } = await member.cinder('GET', '/types')
  const idOf = (tier: string): string =>
    body.volume_types.find((t: { name: string }) => t.name === `couchestor-${tier}`).id
  const volumes: string[] = []

  const until = async (what: string, done: () => Promise<boolean>, tries = TRIES) => {
    for (let i = 0; i < tries; i++) {
      if (await done()) return
      await cloud.pass(STEP_MS)
    }
    throw new Error(`waited in vain for ${what}`)
  }
  const show = async (id: string) => (await member.cinder('GET', `/volumes/${id}`)).body.volume
  const settle = async (id: string) => {
    await until(`volume ${id} to rest`, async () => RESTING.includes((await show(id)).status))
    return show(id)
  }
  const snapshotStatus = async (id: string) =>
    (await member.cinder('GET', `/snapshots/${id}`)).body.snapshot?.status
  const dropSnapshot = async (id: string) => {
    await member.cinder('DELETE', `/snapshots/${id}`)
    await until(`snapshot ${id} to go`, async () => (await snapshotStatus(id)) === undefined)
  }
  const act = (id: string, body: object, options?: CallOptions) =>
    member.cinder('POST', `/volumes/${id}/action`, { body, ...options })

  return {
    cloud,
    member,
    admin,
    other,
    typeId: { hot: idOf('hot'), warm: idOf('warm'), cold: idOf('cold') },
    volume: async (tier, extra) => {
      const input = { size: 1, name: `${cloud.prefix}-v`, volume_type: `couchestor-${tier}` }
      const answer = await member.cinder('POST', '/volumes', {
        body: { volume: { ...input, ...extra } },
      })
      if (answer.status !== 202) throw new Error(`create: ${answer.status} ${answer.text}`)
      const { id } = answer.body.volume
      volumes.push(id)
      await settle(id)
      return id
    },
    snapshot: async (volumeId) => {
      const input = { volume_id: volumeId, name: `${cloud.prefix}-s` }
      const answer = await member.cinder('POST', '/snapshots', { body: { snapshot: input } })
      const { id } = answer.body.snapshot
      await until(`snapshot ${id}`, async () => (await snapshotStatus(id)) === 'available')
      return id
    },
    dropSnapshot,
    show,
    asAdmin: async (id) => (await admin.cinder('GET', `/volumes/${id}`)).body.volume,
    retype: (id, type, policy) =>
      act(id, {
        'os-retype': { new_type: type, ...(policy !== undefined && { migration_policy: policy }) },
      }),
    act,
    settle,
    until,
    close: async () => {
      await removeAll(admin, member, volumes, dropSnapshot)
      await cloud.stop()
    },
  }
}

/** The administrator's way, so that a failed test leaves nothing behind either. */
async function removeAll(
  admin: Session,
  member: Session,
  volumes: readonly string[],
  dropSnapshot: (id: string) => Promise<void>,
): Promise<void> {
  for (const id of volumes) {
    const found = await member.cinder('GET', `/snapshots/detail?volume_id=${id}`)
    for (const snapshot of found.body.snapshots) await dropSnapshot(snapshot.id)
    const repaired = { status: 'available', attach_status: 'detached', migration_status: 'none' }
    await admin.cinder('POST', `/volumes/${id}/action`, { body: { 'os-reset_status': repaired } })
    await admin.cinder('DELETE', `/volumes/${id}`)
  }
}
