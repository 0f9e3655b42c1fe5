import { describe, expect, it } from 'vitest'
import { silentLog } from '../log.ts'
import { createCopyService } from './cinder-copies.ts'
import { setUp, VERSIONS } from './testing.ts'

const sent = { requestId: 'req-1', name: 'n', metadata: { a: 'b' } }
const MADE = { status: 202, json: { backup: { id: 'new' }, volume: { id: 'new' } } }
const BACKUP = { id: 'b', volume_id: 'v', status: 'available', size: 1 }

function copies(routes: Parameters<typeof setUp>[0], minor = 66) {
  const set = setUp({ 'GET /v3/': VERSIONS(minor), ...routes })
  return { ...set, copies: createCopyService({ session: set.session, log: silentLog }) }
}

describe('what a move by backup asks of Cinder', () => {
  it('is a full backup, by the first version that takes metadata', async () => {
    const { copies: service, of } = copies({ 'POST /v3/{p}/backups': MADE })

    expect(await service.createBackup({ ...sent, volumeId: 'v' })).toMatchObject({
      kind: 'Accepted',
      id: 'new',
    })
    const [request] = of('POST /v3/{p}/backups')
    expect(JSON.parse(request?.body ?? '')).toEqual({
      backup: { volume_id: 'v', name: 'n', metadata: { a: 'b' }, incremental: false },
    })
    expect(request?.headers).toMatchObject({
      'openstack-api-version': 'volume 3.43',
      'x-openstack-request-id': 'req-1',
    })
  })

  it('is a volume of the backup, by the first version that makes one', async () => {
    const { copies: service, of } = copies({ 'POST /v3/{p}/volumes': MADE })
    const volume = { backupId: 'b', typeId: 't', sizeGiB: 5, availabilityZone: 'nova' }

    expect(await service.createFromBackup({ ...sent, ...volume })).toMatchObject({ id: 'new' })
    const [request] = of('POST /v3/{p}/volumes')
    expect(JSON.parse(request?.body ?? '')).toEqual({
      volume: {
        backup_id: 'b',
        volume_type: 't',
        size: 5,
        availability_zone: 'nova',
        name: 'n',
        metadata: { a: 'b' },
      },
    })
    expect(request?.headers).toMatchObject({ 'openstack-api-version': 'volume 3.47' })
  })

  it('does not lead anywhere by an id that is none', async () => {
    const { copies: service, requests } = copies({})

    expect(await service.deleteBackup({ ...sent, id: '../volumes/v' })).toMatchObject({
      kind: 'Rejected',
      httpStatus: 400,
    })
    await expect(service.getBackup('../volumes/v')).rejects.toThrow('is not an id')
    expect(requests.filter((r) => r.method === 'DELETE')).toEqual([])
  })

  it('shows why a backup has failed, and that one is not there only by the word of Cinder', async () => {
    const failed = { ...BACKUP, status: 'error', fail_reason: 'Object PUT failed' }
    const { copies: service } = copies({
      'GET /v3/{p}/backups/b': { json: { backup: failed } },
      'GET /v3/{p}/backups/c': { status: 404, json: { itemNotFound: { code: 404, message: '' } } },
      'GET /v3/{p}/backups/d': { status: 404, text: '<html>' },
    })

    expect(await service.getBackup('b')).toMatchObject({ failReason: 'Object PUT failed' })
    expect(await service.getBackup('c')).toBeUndefined()
    await expect(service.getBackup('d')).rejects.toThrow('404')
  })
})

describe('whether there is a cinder-backup', () => {
  const FORBIDDEN = { status: 403, json: { forbidden: { code: 403, message: '' } } }
  const LIST = 'GET /v3/{p}/backups/detail'
  const SERVICES = 'GET /v3/{p}/os-services'
  const none = { json: { backups: [] } }
  const services = (...states: string[]) => ({
    json: {
      services: states.map((state) => ({ binary: 'cinder-backup', status: 'enabled', state })),
    },
  })

  it.each([
    ['a finished backup', { [LIST]: { json: { backups: [BACKUP] } }, [SERVICES]: FORBIDDEN }],
    ['a service that is up', { [LIST]: none, [SERVICES]: services('down', 'up') }],
  ])('is shown by %s', async (_, routes) => {
    expect(await copies(routes).copies.whyNoBackups()).toBeUndefined()
  })

  it.each([
    ['nothing that shows it', { [LIST]: none, [SERVICES]: FORBIDDEN }, 'is not known'],
    [
      'services that are down, whatever they have done before',
      { [LIST]: { json: { backups: [BACKUP] } }, [SERVICES]: services('down') },
      'no cinder-backup is up',
    ],
    ['no services of that kind', { [LIST]: none, [SERVICES]: services() }, 'no cinder-backup'],
    ['no right to backups', { [LIST]: FORBIDDEN }, 'does not serve backups'],
  ])('is no by %s', async (_, routes, why) => {
    expect(await copies(routes).copies.whyNoBackups()).toContain(why)
  })

  it('is no where Cinder makes no volumes of backups', async () => {
    const routes = { [LIST]: { json: { backups: [BACKUP] } }, [SERVICES]: FORBIDDEN }

    expect(await copies(routes, 46).copies.whyNoBackups()).toContain('microversion 3.46')
  })

  it.each([LIST, SERVICES])('is not known while %s fails', async (route) => {
    const routes = { [LIST]: { json: { backups: [BACKUP] } }, [SERVICES]: FORBIDDEN }
    const { copies: service } = copies({
      ...routes,
      [route]: { status: 400, json: { badRequest: { code: 400, message: 'no' } } },
    })

    await expect(service.whyNoBackups()).rejects.toThrow('400')
  })
})
