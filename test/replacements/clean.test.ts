import { beforeEach, describe, expect, it } from 'vitest'
import { Audit } from '../../src/audit/audit.ts'
import { checkClean, CLEAN_FLAGS, runClean } from '../../src/cli/clean/run-clean.ts'
import { readCommandLine } from '../../src/cli/flags.ts'
import { readsOnly } from '../../src/cli/reads-only.ts'
import { auditedCopies } from '../../src/controller/audited-copies.ts'
import { createKubeClient } from '../../src/kube/client.ts'
import { silentLog } from '../../src/log.ts'
import { createCinderReader } from '../../src/openstack/cinder-call.ts'
import { createCopyService } from '../../src/openstack/cinder-copies.ts'
import type { CopyService } from '../../src/openstack/cinder-copies.ts'
import { markedRows } from '../../src/openstack/cinder-marked.ts'
import { readCredentials } from '../../src/openstack/credentials.ts'
import { createSession } from '../../src/openstack/session.ts'
import { inProcess } from '../../src/sim/server.ts'
import { WORLD_ORIGINS } from '../../src/sim/world.ts'
import type { World } from '../../src/sim/world.ts'
import { AuditLines, full } from '../audit-lines.ts'
import { worldWith } from '../harness.ts'
import { pumped, recordingTerminal } from '../reader.ts'
import type { Recorded } from '../reader.ts'
import { createVirtualClock } from '../virtual-clock.ts'
import type { VirtualClock } from '../virtual-clock.ts'
import { FORMER, MOVE, moveObject, recordObject, savedOf, SOAKING } from './stand.ts'

const WORDS = { least: 0, most: 100, usage: 'ids', check: checkClean }
const GIVEN_UP = moveObject({ ...SOAKING, step: 'Failed', reason: 'ClaimNeeded' })

let clock: VirtualClock
let world: World
let terminal: Recorded
let lines: AuditLines
let copies: CopyService
let asked: string[]
/** Between the list and the deletion. */
let meanwhile: () => void
let forbidden: string | undefined
let here: string

beforeEach(() => {
  clock = createVirtualClock(Date.parse('2026-01-20T10:00:00Z'))
  forbidden = undefined
  world = worldWith({ clock, apiServer: { allow: ({ resource }) => resource !== forbidden } })
  world.api.seed({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
  here = String(
    world.api.objects('/api/v1/namespaces').find((n) => n.metadata['name'] === 'kube-system')
      ?.metadata['uid'],
  )
  terminal = recordingTerminal()
  lines = new AuditLines()
  asked = []
  meanwhile = () => {}
})

const marks = (clusterId = here, move = MOVE, role = 'copy') => ({
  'couchestor.io/cluster': clusterId,
  'couchestor.io/move': move,
  'couchestor.io/role': role,
})

const copyOf = (metadata: Readonly<Record<string, string>> = marks()) =>
  world.cloud.seams.addVolume({ sizeGiB: 10, name: 'couchestor-copy', metadata }).id

function clean(args: readonly string[], answer?: string): Promise<number> {
  const line = readCommandLine('clean', args, CLEAN_FLAGS, WORDS)
  const base = { clock, random: () => 0.5, log: silentLog }
  const network = inProcess(world.routes, { clock })
  const { id, secret } = world.cloud.seams.operator
  const session = createSession({
    ...base,
    http: network,
    credentials: readCredentials({
      env: {
        OS_AUTH_URL: `${WORLD_ORIGINS.identity}/v3`,
        OS_APPLICATION_CREDENTIAL_ID: id,
        OS_APPLICATION_CREDENTIAL_SECRET: secret,
        OS_REGION_NAME: 'RegionOne',
      },
    }),
  })
  const cinder = {
    session,
    reader: createCinderReader({ session, log: silentLog }),
    log: silentLog,
  }
  copies = createCopyService(cinder)
  const audit = new Audit({
    sink: lines,
    clock,
    processClock: clock,
    observer: { epoch: 0, generationOf: () => undefined },
  })
  let ids = 0
  return pumped(
    clock,
    runClean(line, {
      kube: createKubeClient({
        ...base,
        http: readsOnly(network),
        server: WORLD_ORIGINS.kube,
        authorization: () => Promise.resolve(undefined),
      }),
      rows: (isMarked) => markedRows(cinder, isMarked),
      copies: auditedCopies(copies, audit),
      projectId: () => session.projectId(),
      uuid: () => `id-${++ids}`,
      who: 'ana',
      terminal,
      systemNamespace: 'couchestor-system',
      ask:
        answer === undefined
          ? undefined
          : (question) => {
              asked.push(question)
              meanwhile()
              return Promise.resolve(answer)
            },
    }),
  )
}

const deletions = (): readonly (string | undefined)[] =>
  world.cloud.seams
    .journal()
    .filter((e) => e.method === 'DELETE')
    .map((e) => e.path.split('/').at(-1))

describe('clean', () => {
  it('deletes the copy of a move that gave the claim its volume back, and writes two lines for it', async () => {
    world.api.seed(GIVEN_UP)
    const id = copyOf()
    expect(await clean(['--yes'])).toBe(0)
    expect(deletions()).toEqual([id])
    expect(terminal.text()).toMatch(new RegExp(`volume +${id} +10 +available +2026.* shop/data-1`))
    expect(terminal.text()).toContain(`volume ${id} (couchestor-copy) is being deleted`)
    expect(lines.calls()).toMatchObject([{ action: 'delete/volume', outcome: 'success' }])
    expect(lines.text).toContain('"name":"ana"')
  })

  it('only lists with --dry-run', async () => {
    world.api.seed(GIVEN_UP)
    const id = copyOf()
    expect(await clean(['--dry-run'])).toBe(1)
    expect(terminal.text()).toContain(id)
    expect(deletions()).toEqual([])
  })

  it('asks at a terminal, and changes nothing without one', async () => {
    world.api.seed(GIVEN_UP)
    const id = copyOf()
    await expect(clean([])).rejects.toThrow('add --yes')
    expect(await clean([], 'no')).toBe(1)
    expect(deletions()).toEqual([])
    expect(await clean([], 'yes')).toBe(0)
    expect(asked[0]).toContain(id)
    expect(deletions()).toEqual([id])
  })

  it('deletes a volume that may have been that of a claim only by its id', async () => {
    const id = copyOf()
    expect(await clean(['--yes'])).toBe(1)
    expect(terminal.text()).toContain(`volume ?  ${id}`)
    expect(terminal.notes()).toContain('only if you name its id')
    expect(deletions()).toEqual([])
    expect(await clean([id, '--yes'])).toBe(0)
    expect(deletions()).toEqual([id])
  })

  it('deletes a copy that was taken over only by its id, and warns of it, although its move gave the former volume back', async () => {
    world.api.seed(GIVEN_UP)
    const id = copyOf({ ...marks(), 'couchestor.io/taken-over': MOVE })
    expect(await clean(['--yes'])).toBe(1)
    expect(terminal.notes()).toContain(`volume ${id} has been taken over`)
    expect(deletions()).toEqual([])
    expect(await clean([id, '--yes'])).toBe(0)
    expect(deletions()).toEqual([id])
  })

  it('deletes a snapshot that a move made, and none that a user made', async () => {
    world.api.seed(GIVEN_UP)
    const source = world.cloud.seams.addVolume({ sizeGiB: 1 }).id
    await clean(['--dry-run'])
    const made = await pumped(
      clock,
      copies.createSnapshot({
        requestId: 'req-1',
        volumeId: source,
        name: 'couchestor-snapshot',
        metadata: marks(here, MOVE, 'snapshot'),
      }),
    )
    world.cloud.seams.addSnapshot(source, 'nightly')
    await clock.advance(60_000)
    expect(await clean(['--yes'])).toBe(0)
    expect(deletions()).toEqual([made.kind === 'Accepted' ? made.id : ''])
  })

  it('deletes a backup that a move made, and none that a user made', async () => {
    const { seams } = world.cloud
    const source = seams.addVolume({ sizeGiB: 1 }).id
    const made = seams.addBackup(source, 'couchestor-backup')
    made.metadata = marks(here, MOVE, 'backup')
    seams.addBackup(source, 'nightly')
    expect(await clean(['--yes'])).toBe(0)
    expect(deletions()).toEqual([made.id])
    expect(lines.calls()).toMatchObject([
      { action: 'delete/backup', target: { typeURI: 'storage/backup' }, outcome: 'success' },
    ])
    await clock.advance(60_000)
    expect(seams.backups().map((b) => b.name)).toEqual(['nightly'])
  })

  it('finds volumes where the project has no backups', async () => {
    world.api.seed(GIVEN_UP)
    const id = copyOf()
    const action = { kind: 'answer', answer: { status: 403, body: '' } } as const
    world.cloud.seams.addFault({ path: /backups/, action, times: 10 })
    expect(await clean(['--yes'])).toBe(0)
    expect(deletions()).toEqual([id])
  })

  it('knows nothing of volumes of others', async () => {
    copyOf(marks('another-cluster'))
    copyOf({ 'couchestor.io/cluster': here, 'couchestor.io/move': MOVE })
    world.cloud.seams.addVolume({ sizeGiB: 1, name: `couchestor-copy-${here}-${MOVE}` })
    expect(await clean(['--yes'])).toBe(0)
    expect(terminal.text()).toContain('no move has left anything in project')
    expect(deletions()).toEqual([])
  })

  const OWNERS = [
    [
      'a PersistentVolume of the claim',
      (id: string) => ({
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name: 'pvc-1' },
        spec: { csi: { driver: 'cinder.csi.openstack.org', volumeHandle: id } },
      }),
      'a PersistentVolume stands for it',
    ],
    ['the record of its move', () => recordObject(savedOf(here)), 'the record of move shop/data-1'],
    [
      'the record of the next move of the claim',
      (id: string) => {
        const saved = savedOf(here)
        const { volume, manifest } = saved.origin
        const csi = { driver: 'cinder.csi.openstack.org', volumeHandle: id }
        const origin = {
          ...saved.origin,
          moveUid: 'later',
          volume: { ...volume, id },
          manifest: { ...manifest, spec: { ...manifest.spec, csi } },
        }
        return recordObject({ ...saved, origin }, 'later')
      },
      'the record of move',
    ],
    [
      'its VolumeMigration',
      () => moveObject(SOAKING),
      'VolumeMigration shop/data-1 is not finished',
    ],
  ] as const

  it.each(OWNERS)('keeps what belongs to %s', async (_, made, why) => {
    const id = copyOf()
    world.api.seed(made(id))
    await expect(clean([id, '--yes'])).rejects.toThrow(`is not left over: ${why}`)
    expect(deletions()).toEqual([])
  })

  it.each(OWNERS)('keeps what belongs to %s since the list was read', async (_, made, why) => {
    const id = copyOf()
    meanwhile = () => world.api.seed(made(id))
    expect(await clean([id], 'yes')).toBe(1)
    expect(terminal.text()).toContain(`is kept: ${why}`)
    expect(deletions()).toEqual([])
  })

  it.each([
    ['attached', (id: string): void => world.cloud.seams.attach(id, 'server-1'), 'it is attached'],
    [
      'of a snapshot',
      (id: string): void => void world.cloud.seams.addSnapshot(id),
      'it has snapshots (1)',
    ],
    [
      'busy',
      (id: string): void => world.cloud.seams.setStatus(id, 'backing-up'),
      'it is "backing-up"',
    ],
  ] as const)('keeps a volume that has become %s meanwhile', async (_, change, why) => {
    const id = copyOf()
    meanwhile = () => change(id)
    expect(await clean([id], 'yes')).toBe(1)
    expect(terminal.text()).toContain(`is kept: ${why}`)
    expect(deletions()).toEqual([])
  })

  it('deletes nothing while a record cannot be read', async () => {
    const id = copyOf()
    world.api.seed(recordObject({ ...savedOf(here), journal: 'x' } as never, 'other'))
    await expect(clean([id, '--yes'])).rejects.toThrow('TieringCheckpoint replacement-other cannot')
    expect(deletions()).toEqual([])
  })

  it.each(['persistentvolumes', 'volumemigrations', 'tieringcheckpoints'])(
    'deletes nothing without a list of %s',
    async (resource) => {
      const id = copyOf()
      forbidden = resource
      await expect(clean([id, '--yes'])).rejects.toThrow(resource)
      expect(deletions()).toEqual([])
    },
  )

  it('deletes nothing where it cannot know which cluster this is', async () => {
    const id = copyOf()
    forbidden = 'namespaces'
    await expect(clean([id, '--yes'])).rejects.toThrow('not known what is of this cluster')
    expect(deletions()).toEqual([])
  })

  it('sends nothing that it could not write down before', async () => {
    const id = copyOf()
    lines.before = full
    expect(await clean([id, '--yes'])).toBe(1)
    expect(terminal.text()).toContain('nothing was sent')
    expect(deletions()).toEqual([])
  })

  it.each([FORMER, 'x'])('refuses "%s", which no move has made', async (id) => {
    await expect(clean([id, '--yes'])).rejects.toThrow('no volume, snapshot or backup')
  })
})
