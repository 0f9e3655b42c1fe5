import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { AuditLines, full } from '../../test/audit-lines.ts'
import { createVirtualClock } from '../../test/virtual-clock.ts'
import { Audit } from '../audit/audit.ts'
import { ConnectionError } from '../http.ts'
import * as resources from '../kube/resources.ts'
import { ApiError, LostLeaseError } from '../kube/types.ts'
import type { KubeClient } from '../kube/types.ts'
import type { CopyService } from '../openstack/cinder-copies.ts'
import type { VolumeService } from '../openstack/types.ts'
import { auditedCopies } from './audited-copies.ts'
import { auditedKube } from './audited-kube.ts'
import { auditedVolumes } from './audited-volumes.ts'
import type { AuditedCopies, AuditedKube } from './deps.ts'
import type { Watches } from './view/watches.ts'

const { PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM, STORAGE_POLICY } = resources
const { TIERING_CHECKPOINT, VOLUME_MIGRATION } = resources
const SECRET = 's3cr3t-in-a-place-nobody-thinks-of'
const NO_STORE = { store: { get: () => undefined } }

let lines: AuditLines
let audit: Audit
let sent: string[]
let answer: () => Promise<unknown>
let leads: boolean
let kube: AuditedKube
let options: unknown[]

beforeEach(() => {
  const clock = createVirtualClock()
  lines = new AuditLines()
  const observer = { epoch: 1, generationOf: () => 2 }
  audit = new Audit({ sink: lines, clock, processClock: clock, observer })
  sent = []
  leads = true
  answer = () => Promise.resolve({})
  options = []
  const send =
    (verb: string) =>
    (...args: unknown[]) => {
      sent.push(verb)
      options.push(args.at(-1))
      return answer()
    }
  const raw = {
    create: send('create'),
    patch: send('patch'),
    delete: send('delete'),
    replace: send('replace'),
  } as unknown as KubeClient
  let ids = 0
  kube = auditedKube(raw, {
    audit,
    uuid: () => `id-${++ids}`,
    watches: () => ({ claims: NO_STORE, migrations: NO_STORE }) as unknown as Watches,
    fence: () => {
      if (!leads) throw new LostLeaseError('the lease was lost')
    },
  })
})

const outcomes = () => lines.calls().map((c) => `${c.action} ${c.target.name} ${c.outcome}`)

describe('the API server', () => {
  it('a kind that nobody has thought of is audited', async () => {
    await kube.delete(PERSISTENT_VOLUME, 'pv-1', { uid: 'u-1' })
    expect(outcomes()).toEqual(['delete pv-1 success'])
    expect(lines.calls()[0]?.target).toMatchObject({ typeURI: 'data/persistentvolumes', id: 'u-1' })
  })

  it('statuses and checkpoints have no lines', async () => {
    await kube.patch(STORAGE_POLICY, 'p', {}, { type: 'merge', subresource: 'status' })
    await kube.create(TIERING_CHECKPOINT, { metadata: { name: 'c' } })
    await kube.patch(TIERING_CHECKPOINT, 'c', {}, { type: 'merge' })
    await kube.delete(TIERING_CHECKPOINT, 'c')
    expect(sent).toHaveLength(4)
    expect(lines.text).toBe('')
  })

  it('statuses and checkpoints are written on a full disk too', async () => {
    lines.before = full
    await kube.patch(STORAGE_POLICY, 'p', {}, { type: 'merge', subresource: 'status' })
    await expect(kube.delete(PERSISTENT_VOLUME, 'pv-1')).rejects.toThrow('ENOSPC')
    expect(sent).toEqual(['patch'])
  })

  it('what is checked and not stored has no lines, and is not stored', async () => {
    const pv = { metadata: { name: 'pv-1' } }
    await kube.create(PERSISTENT_VOLUME, pv, { dryRun: true })
    await kube.create(resources.SELF_SUBJECT_ACCESS_REVIEW, { metadata: { name: '' } })
    expect(options[0]).toEqual({ dryRun: true })
    expect(lines.text).toBe('')
  })

  it('a fence goes with what is created', async () => {
    const fence = () => {}
    await kube.create(PERSISTENT_VOLUME, { metadata: { name: 'pv-1' } }, { fence })
    expect(options).toEqual([{ fence }])
  })

  it('the line of a write shows the claim and the move that the caller knows of', async () => {
    const claim = { namespace: 'shop', name: 'data', uid: 'c-1' }
    const migration = { namespace: 'shop', name: 'data-1', uid: 'm-1' }
    const initiator = { kind: 'person', name: 'ada' } as const
    const about = kube.about({
      id: 'req-1',
      action: 'update/finalizers',
      claim,
      migration,
      initiator,
    })
    const body = [{ op: 'test', path: '/metadata/uid', value: 'u-1' }]
    await about.patch(PERSISTENT_VOLUME, 'pv-1', body, { type: 'json' })
    expect(lines.calls()).toMatchObject([
      {
        id: 'req-1',
        action: 'update/finalizers',
        initiator: { name: 'ada' },
        target: { id: 'u-1', name: 'pv-1', claim, migration },
        outcome: 'success',
      },
    ])
  })

  it('what nobody knows more of has an id of its own', async () => {
    await kube.about({}).delete(PERSISTENT_VOLUME, 'pv-1')
    expect(lines.calls()).toMatchObject([{ id: 'id-1', action: 'delete' }])
  })

  it('nothing is replaced from here', async () => {
    await expect(kube.replace(resources.LEASE, {} as never)).rejects.toThrow('elector')
    expect(sent).toEqual([])
  })

  it('a leader that has lost its lease while the line was written sends nothing', async () => {
    lines.before = () => void (leads = false)
    await expect(kube.delete(PERSISTENT_VOLUME, 'pv-1')).rejects.toThrow(LostLeaseError)
    expect(sent).toEqual([])
    expect(lines.calls()).toMatchObject([{ outcome: 'failure', reason: 'LostLease' }])
  })

  it.each([
    ['failure', '403', new ApiError(403, 'Forbidden', SECRET)],
    ['failure', 'NotSent', new ConnectionError('refused', SECRET)],
    ['unknown', undefined, new ConnectionError('reset', SECRET)],
    ['unknown', undefined, new Error(SECRET)],
  ])('an error is written as %s (%s), and the caller gets it', async (outcome, reason, e) => {
    answer = () => Promise.reject(e)
    await expect(kube.delete(PERSISTENT_VOLUME, 'pv-1')).rejects.toBe(e)
    expect(lines.calls()).toMatchObject([{ outcome, reason }])
    expect(lines.text).not.toContain(SECRET)
  })

  it('nothing of an object but names, tiers and our own annotations gets into a line', async () => {
    const annotations = { 'couchestor.io/tier': 'cold', token: SECRET, [SECRET]: 'x' }
    const body = { metadata: { uid: 'c-1', annotations }, spec: { token: SECRET } }
    await kube.patch(PERSISTENT_VOLUME_CLAIM, 'data', body, { type: 'apply', namespace: 'shop' })
    await kube.create(VOLUME_MIGRATION, {
      metadata: { name: 'm', namespace: 'shop', annotations: { note: SECRET } },
      spec: {
        claim: { name: 'data' },
        to: 'cold',
        policy: 'tiered',
        reason: 'Policy',
        note: SECRET,
      },
      data: SECRET,
    } as never)
    expect(outcomes()).toEqual(['update/annotate shop/data success', 'create shop/m success'])
    expect(lines.text).toContain('"couchestor.io/tier":"cold"')
    expect(lines.text).not.toContain(SECRET)
  })
})

describe('Cinder', () => {
  it('a retype without a line is not sent, and says so', async () => {
    lines.before = full
    const raw = { retype: () => Promise.reject(new Error('sent')) } as unknown as VolumeService
    const change = { id: 'req-1', action: 'update/retype', initiator: { kind: 'controller' } }
    const target = { typeURI: 'storage/volume', id: 'v', name: 'n' }
    const whole = { ...change, target } as never
    const same = () => Promise.resolve(undefined)
    const retyped = auditedVolumes(raw, audit).retype({} as never, whole, same)
    expect(await retyped).toMatchObject({ kind: 'NotSent', unaudited: true })
  })
})

describe('the copies in Cinder', () => {
  const CALLS: readonly Exclude<
    keyof AuditedCopies,
    'audit' | `get${string}` | `${string}Named` | 'snapshotsOf' | 'whyNoBackups'
  >[] = [
    'createSnapshot',
    'createFromSnapshot',
    'createBackup',
    'createFromBackup',
    'deleteBackup',
    'deleteSnapshot',
    'deleteVolume',
    'setMetadata',
  ]
  const change = {
    id: 'req-1',
    action: 'create/volume',
    initiator: { kind: 'controller' },
    target: { typeURI: 'storage/volume', id: 'v', name: 'n' },
  } as const
  const audited = () =>
    auditedCopies(
      new Proxy({}, { get: (_, call) => () => (sent.push(String(call)), answer()) }) as CopyService,
      audit,
    )

  it.each(CALLS)('%s without a line is not sent, and says so', async (call) => {
    lines.before = full
    expect(await audited()[call]({} as never, change)).toMatchObject({
      kind: 'NotSent',
      unaudited: true,
    })
    expect(sent).toEqual([])
  })

  it.each(CALLS)('%s has a line before it and one after', async (call) => {
    answer = () => Promise.resolve({ kind: 'Accepted', cinderRequestId: 'req-c', id: 'made' })
    lines.before = () => void sent.push('line')
    await audited()[call]({} as never, change)
    expect(sent).toEqual(['line', call, 'line'])
    expect(lines.text).toContain('"madeId":"made"')
  })

  it.each([
    ['success', { kind: 'Accepted' }],
    ['failure', { kind: 'Rejected', httpStatus: 400, message: SECRET, quota: false }],
    ['failure', { kind: 'NotSent', message: SECRET }],
    ['unknown', { kind: 'Unknown', message: SECRET }],
  ])('its outcome is written as %s', async (outcome, said) => {
    answer = () => Promise.resolve(said)
    expect(await audited().deleteVolume({} as never, change)).toEqual(said)
    expect(lines.calls()).toMatchObject([{ outcome }])
    expect(lines.text).not.toContain(SECRET)
  })
})

describe('no way leads around the audit', () => {
  const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter(
      (f) =>
        f.endsWith('.ts') && !/(\.(test|fixture)|testing)\.ts$/.test(f) && !f.startsWith('sim/'),
    )
    .map((f) => ({ file: f, text: readFileSync(join('src', f), 'utf8') }))
  const having = (pattern: RegExp) =>
    sources.filter(({ text }) => pattern.test(text)).map(({ file }) => file)

  it('only these send anything but reads', () => {
    // queries that are too long for a URL, a login, and what is behind the two audited clients
    expect(having(/\bmethod: [^\n;]*'(?:POST|PUT|PATCH|DELETE)'/).toSorted()).toEqual([
      'activity/gnocchi/client.ts',
      'activity/prometheus/client.ts',
      'kube/client.ts',
      'openstack/authenticate.ts',
      'openstack/cinder-backups.ts',
      'openstack/cinder-copies.ts',
      'openstack/cinder-retype.ts',
      // the type of their requests
      'openstack/session.ts',
    ])
  })

  it('nobody in the controller makes a client', () => {
    const makers = having(
      /\b(?:createKubeClient|createVolumeService|createCopyService|createSession)\(/,
    )
    expect(makers.filter((file) => file.startsWith('controller/'))).toEqual([])
    expect(makers).toContain('main/controller-process.ts')
  })

  it('in the controller only these hold a client that is not audited', () => {
    const holders = having(/\b(?:CopyService|BackupService|VolumeService|OutsideDeps)\b/)
    expect(holders.filter((file) => file.startsWith('controller/')).toSorted()).toEqual([
      'controller/audited-copies.ts',
      'controller/audited-volumes.ts',
      'controller/audited.ts',
      // what is passed on of both are their reads
      'controller/client-reads.ts',
      // wires them
      'controller/controller.ts',
      'controller/deps.ts',
      'controller/read-only.ts',
      // for its watches, which are of the API server
      'controller/view/watches.ts',
    ])
  })
})
