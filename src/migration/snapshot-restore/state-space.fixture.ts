import { CINDER_DRIVER } from '../../api/names.ts'
import type { Event } from '../explore.fixture.ts'
import { effectOf, finalizersOf, versionOf } from './effects.fixture.ts'
import { PARKED_DRIVER, parkedHandle } from './manifest.ts'
import { metadataOf, nameOf, RESTORED_FROM, takenOver } from './names.ts'
import type { ReplaceInput, ReplaceOutcome } from './outcome.ts'
import { intended, isMaker } from './saved.ts'
import type { ReplaceAct, Saved } from './saved.ts'
import type {
  BackupSeen,
  CinderSeen,
  KubeSeen,
  ReplaceSight,
  SnapshotSeen,
  VolumeSeen,
} from './sight.ts'
import { others } from './others.fixture.ts'
import { copyIn, FULL, isFinished, MOST_ATTEMPTS, originOf, savedAnswer } from './world.fixture.ts'
import type { State, Volume } from './world.fixture.ts'

export type Machine = (input: ReplaceInput) => ReplaceOutcome

const VERIFY_MS = 3000
const SOAK_MS = 10_000
const DOWN = { kind: 'Unreadable', why: 'down' } as const

/** What may happen to a move, a claim and its volumes, one event at a time. */
export function* events(machine: Machine, at: State): Generator<Event<State>> {
  yield* lead(machine, at)
  yield* calls(at)
  yield* others(at)
  yield* time(at)
}

/** The present leader follows the move, as a runner does. */
function* lead(machine: Machine, at: State): Generator<Event<State>> {
  if (isFinished(at) || at.sending !== undefined) return
  const kube = kubeOf(at)
  const cinder = cinderOf(at)
  yield* carriedOut(at, machine(input(at, { kube, cinder })), '')
  yield* carriedOut(at, machine(input(at, { kube, cinder: DOWN })), ' without Cinder')
  yield* carriedOut(at, machine(input(at, { kube: DOWN, cinder })), ' without Kubernetes')
}

function* carriedOut(at: State, outcome: ReplaceOutcome, how: string): Generator<Event<State>> {
  const { confirming: before, ...rest } = at
  switch (outcome.kind) {
    case 'wait': {
      const what = outcome.confirm
      // a read that showed nothing neither begins nor ends a series
      if (how !== '' || what === before?.what) return
      yield [
        `waits: ${outcome.why}`,
        what === undefined ? rest : { ...rest, confirming: { what, isLong: false } },
      ]
      return
    }
    case 'save': {
      const { origin: _origin, ...saved } = outcome.saved
      yield [`saves ${saved.phase} ${saved.reason ?? ''}${how}`, { ...rest, saved: sorted(saved) }]
      return
    }
    case 'act': {
      const { act } = outcome
      const name = isMaker(act.act) ? nameOf(FULL, act.act) : undefined
      const call = { requestId: 'r', at: '', ...(name === undefined ? {} : { name }) }
      const { origin: _origin, ...saved } = intended({ ...at.saved, origin: FULL }, act, call)
      yield [
        `intends ${shown(act)}${how}`,
        { ...rest, ...wrongAct(at, act), saved: sorted(saved), sending: act },
      ]
      return
    }
    case 'look':
    case 'rest':
  }
}

export const COPYING: ReadonlySet<ReplaceAct['act']> = new Set([
  'createSnapshot',
  'cloneVolume',
  'retype',
  'createBackup',
  'restoreBackup',
])

/** What speaks against going on with the copy. */
function wrongAct(at: State, { act }: ReplaceAct): Pick<State, 'lie'> {
  if (!COPYING.has(act)) return {}
  if (at.pod !== undefined) return { lie: 'copies while a Pod waits' }
  if (at.wish === 'cancel') return { lie: 'copies although it is cancelled' }
  return at.late ? { lie: 'copies past the deadline' } : {}
}

function shown(act: ReplaceAct): string {
  return Object.values(act).join(' ')
}

/** Attempts beyond what is counted, and the order of entries, make no difference. */
function sorted(saved: State['saved']): State['saved'] {
  const journal = saved.journal
    .map((e) => ({ ...e, attempts: Math.min(e.attempts, MOST_ATTEMPTS + 1) }))
    .toSorted((a, b) => (`${a.act} ${a.of}` < `${b.act} ${b.of}` ? -1 : 1))
  return { ...saved, journal }
}

/** The call is made, lost, refused or answered; the process may end at each moment, with its call on its way. */
function* calls(at: State): Generator<Event<State>> {
  const { sending } = at
  for (const [i, act] of at.flying.entries()) {
    const rest = { ...at, flying: at.flying.toSpliced(i, 1) }
    yield [`late: ${shown(act)}`, effectOf(rest, act).state]
    yield [`never arrives: ${shown(act)}`, rest]
  }
  if (sending === undefined) return
  const { state, answer } = effectOf(at, sending)
  yield [`${shown(sending)}: ${answer.kind}`, answerSaved(state, answer)]
  if (at.left === 0) return
  const less = { ...at, left: at.left - 1 }
  const effected = { ...state, left: at.left - 1 }
  const unknown = { kind: 'Unknown', message: '' } as const
  if (at.world.troubles.includes('calls')) {
    yield ['the call is lost', { ...answerSaved(less, unknown), quiet: false }]
    yield ['the answer is lost', { ...answerSaved(effected, unknown), quiet: false }]
    yield [
      'time-out, and the call goes on',
      { ...answerSaved({ ...less, flying: [...at.flying, sending] }, unknown), quiet: false },
    ]
    yield ['is not sent', answerSaved(less, { kind: 'NotSent', message: '' })]
  }
  if (at.world.troubles.includes('refusal'))
    yield ['is refused', answerSaved(less, { kind: 'Rejected', httpStatus: 403, message: '' })]
  if (at.world.troubles.includes('crash')) {
    yield ['crash before the call', dead(less)]
    yield ['crash after the call', dead(effected)]
    yield ['crash with the call on its way', dead({ ...less, flying: [...at.flying, sending] })]
  }
}

function answerSaved(at: State, answer: Parameters<typeof savedAnswer>[1]): State {
  const next = savedAnswer(at, answer)
  return { ...next, saved: sorted(next.saved) }
}

/** Another leader takes over. */
function dead(at: State): State {
  const { sending: _sending, confirming: _confirming, ...rest } = at
  return { ...rest, quiet: false }
}

function* time(at: State): Generator<Event<State>> {
  const { confirming } = at
  // that moment is shorter than anything else
  if (at.hidden !== undefined) return
  if (confirming !== undefined && !confirming.isLong)
    yield ['time passes between two reads', { ...at, confirming: { ...confirming, isLong: true } }]
  // a call is given up, or has arrived, long before
  if (!at.quiet && at.flying.length === 0) yield ['the quiet time passes', { ...at, quiet: true }]
  if (at.saved.phase === 'Soaking' && !at.soaked && at.flying.length === 0)
    yield ['the soak is over', { ...at, soaked: true }]
}

function input(at: State, sight: ReplaceSight): ReplaceInput {
  const { saved, wish, confirming } = at
  const now = (at.late ? 1000 : 0) + (at.soaked ? SOAK_MS : 0)
  const full: Saved = { ...saved, origin: originOf(at) }
  return {
    saved: full,
    sight,
    now,
    clusterId: 'here',
    objectUid: 'u',
    quietUntil: at.quiet ? now : now + 1,
    ...(wish === undefined ? {} : { wish }),
    ...(confirming === undefined
      ? {}
      : { confirming: { what: confirming.what, ms: confirming.isLong ? Infinity : 1 } }),
    timing: {
      pollMs: 2000,
      longestPollMs: 60_000,
      soakPollMs: 60_000,
      verifyMs: VERIFY_MS,
      mostAttempts: MOST_ATTEMPTS,
      mountedMs: Infinity,
      maxSoakMs: SOAK_MS,
    },
  }
}

function kubeOf(at: State): KubeSeen {
  const { pv, claim, pod, otherPv, parkedAttachment } = at
  const isServed = pv !== undefined && pv.bound && pv.shape !== 'held'
  const attached = pod?.on !== undefined
  return {
    kind: 'Seen',
    claim: claim ? { phase: pv?.bound === true ? 'Bound' : 'Lost' } : undefined,
    pv: pv && {
      uid: String(pv.uid),
      resourceVersion: versionOf(pv),
      driver: pv.shape === 'held' ? PARKED_DRIVER : CINDER_DRIVER,
      handle: { original: 'source', copy: copyIn(at), held: parkedHandle('source') }[pv.shape],
      policy: pv.policy,
      finalizers: finalizersOf(pv),
      terminating: pv.terminating,
      claimUid: 'claim',
    },
    pods: pod === undefined ? 0 : 1,
    attachments: [
      ...(pod !== undefined && isServed
        ? [{ name: 'csi-1', uid: 'a', attacher: CINDER_DRIVER, attached }]
        : []),
      ...(parkedAttachment
        ? [{ name: 'csi-2', uid: 'b', attacher: PARKED_DRIVER, attached: false }]
        : []),
    ],
    otherHandles: otherPv ? ['source'] : [],
  }
}

function cinderOf(at: State): CinderSeen {
  const { source, copy, snapshot, userSnapshot, twin, hidden, world } = at
  const snapshots: SnapshotSeen[] = []
  const name = nameOf(FULL, 'createSnapshot')
  const row = { volumeId: 'source', status: 'available', metadata: {} }
  if (world.namesakes) snapshots.push({ ...row, id: 'namesake', name, volumeId: 'another' })
  if (userSnapshot) snapshots.push({ ...row, id: 'backup', name: 'backup' })
  if (snapshot !== undefined && hidden !== 'snapshot')
    snapshots.push({
      ...row,
      id: 'snapshot',
      name,
      status: snapshot.status,
      metadata: metadataOf(FULL, 'createSnapshot'),
    })
  if (twin === 'snapshot')
    snapshots.push({ ...row, id: 'twin', name, metadata: metadataOf(FULL, 'createSnapshot') })
  const copies: VolumeSeen[] = []
  if (twin === 'copy')
    copies.push(seen('twin', TWIN, nameOf(FULL, 'cloneVolume'), metadataOf(FULL, 'cloneVolume')))
  if (world.namesakes) copies.push(seen('namesake', NAMESAKE, nameOf(FULL, 'cloneVolume'), {}))
  if (copy !== undefined && hidden !== 'copy')
    copies.push({
      ...seen('copy', copy, nameOf(FULL, 'cloneVolume'), metadataOf(FULL, 'cloneVolume')),
      snapshotId: 'snapshot',
    })
  const own = { kind: 'Seen', source: source && seen('source', source, 'pvc-1', {}) } as const
  if (world.via === undefined) return { ...own, copies, snapshots }
  copies.push(...restoredIn(at))
  return { ...own, copies, snapshots, backups: backupsIn(at) }
}

function restoredIn({ restored, hidden, world, twin }: State): VolumeSeen[] {
  const name = nameOf(FULL, 'restoreBackup')
  const theirs = world.namesakes ? [seen('namesake', NAMESAKE, name, {})] : []
  // with the metadata of the clone, as Cinder leaves it
  if (twin === 'restored') theirs.push(seen('twin', TWIN, name, metadataOf(FULL, 'cloneVolume')))
  if (restored === undefined || hidden === 'restored') return theirs
  const metadata = {
    ...metadataOf(FULL, restored.isMarked ? 'restoreBackup' : 'cloneVolume'),
    ...(restored.isOfBackup && { [RESTORED_FROM]: 'backup' }),
  }
  return [...theirs, seen('restored', restored, name, metadata)]
}

function backupsIn({ backup, hidden, world, twin }: State): BackupSeen[] {
  const name = nameOf(FULL, 'createBackup')
  const row = { name, volumeId: 'copy', sizeGiB: 1, incremental: false }
  const theirs: BackupSeen[] = world.namesakes
    ? [{ ...row, id: 'namesake', status: 'available', metadata: {} }]
    : []
  const metadata = metadataOf(FULL, 'createBackup')
  if (twin === 'backup') theirs.push({ ...row, id: 'twin', status: 'available', metadata })
  if (backup === undefined || hidden === 'backup') return theirs
  const status = backup.status === 'stuck' ? 'creating' : backup.status
  return [...theirs, { ...row, id: 'backup', status, metadata }]
}

const TWIN: Volume = { status: 'available', data: 0, type: 'from', changes: 0 }
const NAMESAKE: Volume = { status: 'available', data: 0, type: 'to', changes: 0 }

function seen(
  id: string,
  { status, type, changes, takenOver: isTaken }: Volume,
  name: string,
  metadata: Readonly<Record<string, string>>,
): VolumeSeen {
  return {
    id,
    name,
    status,
    typeId: type,
    sizeGiB: 1,
    availabilityZone: 'nova',
    bootable: false,
    encrypted: false,
    attached: status === 'in-use',
    updatedAt: String(changes),
    metadata: isTaken ? { ...metadata, ...takenOver(FULL) } : metadata,
  }
}
