import { eventually } from './eventually.ts'
import { openstack } from './openstack.ts'
import type { Cloud, RestClient } from './openstack.ts'

/** What the administrator sees of a volume, hidden fields included. */
export type AdminVolume = {
  readonly id: string
  readonly status: string
  readonly volume_type: string
  readonly size: number
  readonly migration_status: string | null
  readonly 'os-vol-host-attr:host': string | null
  readonly 'os-vol-mig-status-attr:name_id': string | null
  readonly attachments: readonly { readonly server_id: string }[]
  readonly [field: string]: unknown
}

/** Cinder's administration, as tests need it: the facts a member cannot see, and the repairs they cannot make. */
export interface CinderAdmin {
  /** Undefined when the volume is gone. */
  volume(id: string): Promise<AdminVolume | undefined>
  /** Waits up to `seconds` until the volume fits; throws when it is gone. */
  volumeWhen(
    id: string,
    what: string,
    fits: (v: AdminVolume) => boolean,
    seconds?: number,
  ): Promise<AdminVolume>
  createVolume(
    type: string,
    sizeGiB?: number,
    name?: string,
    as?: Exclude<Cloud, 'admin'>,
  ): Promise<AdminVolume>
  deleteVolume(id: string): Promise<void>
  createSnapshot(volumeId: string, name?: string): Promise<string>
  deleteSnapshot(id: string): Promise<void>
  /** Of a detached volume; resolves to its id when both are available. */
  createBackup(volumeId: string, name?: string): Promise<string>
  deleteBackup(id: string): Promise<void>
  retype(id: string, type: string, policy?: 'never' | 'on-demand'): Promise<void>
  resetState(id: string, status: string, migrationStatus?: string): Promise<void>
  resetSnapshot(id: string, status: string): Promise<void>
  /** Limits of a project, for example `{ gigabytes_couchestor-cold: 5 }`. */
  setQuota(
    project: Exclude<Cloud, 'admin' | 'operator'>,
    limits: Readonly<Record<string, number>>,
  ): Promise<void>
  /** What a project has used and reserved of each key. */
  usage(project: Exclude<Cloud, 'admin' | 'operator'>): Promise<Readonly<Record<string, Usage>>>
  /** A private volume type on that backend; returns its id. */
  privateType(name: string, backend: string): Promise<string>
  deleteType(name: string): Promise<void>
  /** Whether the project may see and use the private type. */
  setAccess(
    typeId: string,
    project: Exclude<Cloud, 'admin' | 'operator'>,
    may: boolean,
  ): Promise<void>
}

export type Usage = { readonly in_use: number; readonly reserved: number }

/** Logs in as the administrator; volumes and snapshots are made in the tenant's own project. */
export async function cinderAdmin(): Promise<CinderAdmin> {
  const admin = await openstack('admin')
  const show = async (id: string): Promise<AdminVolume | undefined> => {
    const { status, body } = await admin.request('GET', `/volumes/${id}`)
    if (status === 404) return undefined
    return must(status, body, `show volume ${id}`)['volume'] as AdminVolume
  }
  const when: CinderAdmin['volumeWhen'] = (id, what, fits, seconds) =>
    eventually(
      `volume ${id} ${what}`,
      async () => {
        const volume = await show(id)
        return volume !== undefined && fits(volume) ? volume : undefined
      },
      seconds,
    )
  const action = (id: string, body: object) => post(admin, `/volumes/${id}/action`, body)
  const types = async () => {
    const { status, body } = await admin.request('GET', '/types?is_public=None')
    return must(status, body, 'list types')['volume_types'] as { id: string; name: string }[]
  }
  const deleted = async (path: string) => {
    await admin.request('DELETE', path)
    await eventually(`${path} is gone`, async () => {
      return (await admin.request('GET', path)).status === 404
    })
  }
  return {
    volume: show,
    volumeWhen: when,
    createVolume: async (type, size = 1, name = 'lab-test', as = 'operator') => {
      const member = await openstack(as)
      const made = await post(member, '/volumes', { volume: { size, name, volume_type: type } })
      const { id } = made['volume'] as { id: string }
      return when(id, 'is available', (v) => v.status === 'available')
    },
    deleteVolume: async (id) => {
      const force = { 'os-force_delete': {} }
      const { status, body } = await admin.request('POST', `/volumes/${id}/action`, force)
      if (status !== 404) must(status, body, `delete volume ${id}`)
      await eventually(`volume ${id} is gone`, async () => (await show(id)) === undefined)
    },
    createSnapshot: async (volumeId, name = 'lab-test') => {
      const member = await openstack('operator')
      const body = { snapshot: { volume_id: volumeId, name, force: true } }
      const { id } = (await post(member, '/snapshots', body))['snapshot'] as { id: string }
      await eventually(`snapshot ${id}`, async () => {
        const seen = await member.request('GET', `/snapshots/${id}`)
        return (seen.body['snapshot'] as { status?: string } | undefined)?.status === 'available'
      })
      return id
    },
    deleteSnapshot: (id) => deleted(`/snapshots/${id}`),
    createBackup: async (volumeId, name = 'lab-test') => {
      const member = await openstack('operator')
      const body = { backup: { volume_id: volumeId, name } }
      const { id } = (await post(member, '/backups', body))['backup'] as { id: string }
      await eventually(`backup ${id}`, async () => {
        const seen = await member.request('GET', `/backups/${id}`)
        return (seen.body['backup'] as { status?: string } | undefined)?.status === 'available'
      })
      await when(volumeId, 'is available', (v) => v.status === 'available')
      return id
    },
    deleteBackup: (id) => deleted(`/backups/${id}`),
    retype: async (id, type, policy = 'on-demand') => {
      await action(id, { 'os-retype': { new_type: type, migration_policy: policy } })
    },
    resetState: async (id, status, migrationStatus) => {
      const migration = migrationStatus === undefined ? {} : { migration_status: migrationStatus }
      await action(id, { 'os-reset_status': { status, ...migration } })
    },
    resetSnapshot: async (id, status) => {
      await post(admin, `/snapshots/${id}/action`, { 'os-reset_status': { status } })
    },
    setQuota: async (project, limits) => {
      const { projectId } = await openstack(project)
      const body = { quota_set: limits }
      const answer = await admin.request('PUT', `/os-quota-sets/${projectId}`, body)
      must(answer.status, answer.body, `quota of ${project}`)
    },
    usage: async (project) => {
      const { projectId } = await openstack(project)
      const { status, body } = await admin.request('GET', `/os-quota-sets/${projectId}?usage=true`)
      return must(status, body, `quota of ${project}`)['quota_set'] as Record<string, Usage>
    },
    privateType: async (name, backend) => {
      const specs = { extra_specs: { volume_backend_name: backend } }
      const volume_type = { name, 'os-volume-type-access:is_public': false, ...specs }
      const made = await post(admin, '/types', { volume_type })
      return (made['volume_type'] as { id: string }).id
    },
    deleteType: async (name) => {
      for (const type of await types())
        if (type.name === name) await admin.request('DELETE', `/types/${type.id}`)
    },
    setAccess: async (typeId, project, may) => {
      const body = { project: (await openstack(project)).projectId }
      const act = may ? 'addProjectAccess' : 'removeProjectAccess'
      await post(admin, `/types/${typeId}/action`, { [act]: body })
    },
  }
}

async function post(
  client: RestClient,
  path: string,
  body: object,
): Promise<Record<string, unknown>> {
  const answer = await client.request('POST', path, body)
  return must(answer.status, answer.body, `POST ${path}`)
}

function must(
  status: number,
  body: Record<string, unknown>,
  what: string,
): Record<string, unknown> {
  if (status >= 400) throw new Error(`${what}: ${status} ${JSON.stringify(body)}`)
  return body
}
