import type { Event } from '../explore.fixture.ts'
import { changed, withoutReleased } from './effects.fixture.ts'
import type { JournalEntry } from './saved.ts'
import { copyIn, isFinished } from './world.fixture.ts'
import type { State, Trouble, Volume, VolumeId } from './world.fixture.ts'

/** Controllers, sidecars, Cinder, Pods and people. */
export function* others(at: State): Generator<Event<State>> {
  yield* controllers(at)
  yield* cinder(at)
  yield* pods(at)
  yield* people(at)
  yield* neighbours(at)
  yield* etcd(at)
}

/** It costs one of the few troubles that there may be. */
function* once(at: State, trouble: Trouble, name: string, after: State): Generator<Event<State>> {
  if (at.left > 0 && at.world.troubles.includes(trouble))
    yield [name, { ...after, left: at.left - 1 }]
}

function* controllers(at: State): Generator<Event<State>> {
  const { pv } = at
  if (pv === undefined) return
  if (at.claim && !pv.bound)
    yield ['the claim becomes Bound', { ...at, pv: { ...pv, bound: true } }]
  if (pv.policy === 'Retain' && pv.finalizers.includes('provisioner')) {
    const finalizers = pv.finalizers.filter((f) => f !== 'provisioner')
    yield [
      'the provisioner takes its finalizer off',
      withoutReleased({ ...at, pv: { ...pv, finalizers } }),
    ]
  }
  if (pv.terminating && pv.finalizers.includes('attacher') && at.pod === undefined) {
    const finalizers = pv.finalizers.filter((f) => f !== 'attacher')
    yield [
      'the attacher takes its finalizer off',
      withoutReleased({ ...at, pv: { ...pv, finalizers } }),
    ]
  }
  yield* reclaims(at, pv)
}

function* reclaims(at: State, pv: NonNullable<State['pv']>): Generator<Event<State>> {
  const id = pv.shape === 'original' ? 'source' : copyIn(at)
  const volume = at[id]
  const hasSnapshots =
    id === 'source' && (at.snapshot !== undefined || at.userSnapshot || at.twin === 'snapshot')
  const isReclaimed = pv.policy === 'Delete' && pv.finalizers.includes('provisioner')
  if (isReclaimed && pv.shape !== 'held' && (!at.claim || isUnprotected(pv))) {
    if (volume !== undefined && volume.status === 'available' && !hasSnapshots)
      yield ['the CSI driver deletes the volume', reclaimed(without(at, id))]
    if (volume === undefined) yield ['the PersistentVolume goes', reclaimed(at)]
  }
}

function isUnprotected({ terminating, finalizers }: NonNullable<State['pv']>): boolean {
  return terminating && !finalizers.includes('protection')
}

function reclaimed(at: State): State {
  const { pv } = at
  if (pv === undefined) return at
  const finalizers = pv.finalizers.filter((f) => f !== 'provisioner')
  return withoutReleased({ ...at, pv: { ...pv, terminating: true, finalizers } })
}

function without(at: State, id: VolumeId | 'snapshot' | 'backup'): State {
  const { [id]: _gone, ...rest } = at
  return rest
}

function* cinder(at: State): Generator<Event<State>> {
  const { snapshot, copy, source, hidden } = at
  if (hidden !== undefined) {
    const { hidden: _hidden, ...rest } = at
    yield [`Cinder lists the ${hidden} again`, rest]
    return
  }
  for (const what of ['snapshot', 'copy', 'backup', 'restored'] as const)
    if (at[what] !== undefined)
      yield* once(at, 'cinder', `Cinder does not list the ${what} for a moment`, {
        ...at,
        hidden: what,
      })
  if (snapshot?.status === 'creating') {
    yield ['the snapshot is ready', { ...at, snapshot: { ...snapshot, status: 'available' } }]
    yield* once(at, 'cinder', 'the snapshot fails', {
      ...at,
      snapshot: { ...snapshot, status: 'error' },
    })
  }
  if (snapshot?.status === 'deleting') {
    yield ['the snapshot is gone', without(at, 'snapshot')]
    yield* once(at, 'cinder', 'the snapshot is still in use', {
      ...at,
      snapshot: { ...snapshot, status: 'available' },
    })
  }
  if (copy?.status === 'creating') {
    yield ['the copy is ready', { ...at, copy: changed(copy, { status: 'available' }) }]
    yield* once(at, 'cinder', 'the copy fails', { ...at, copy: changed(copy, { status: 'error' }) })
  }
  if (copy?.status === 'retyping') {
    const ended = (change: Parameters<typeof changed>[1]): State => ({
      ...at,
      copy: changed(copy, change),
    })
    yield ['the retype ends', ended({ status: 'available', type: 'to' })]
    yield* once(at, 'cinder', 'the retype is put back', ended({ status: 'available' }))
    yield* once(at, 'cinder', 'the retype fails', ended({ status: 'error' }))
  }
  if (copy?.status === 'deleting') yield ['the copy is gone', without(at, 'copy')]
  if (source?.status === 'deleting') yield ['the source is gone', without(at, 'source')]
  yield* cinderBackup(at)
}

/** It reads the clone, and writes a new volume. */
function* cinderBackup(at: State): Generator<Event<State>> {
  const { backup, copy, restored, saved } = at
  // Cinder says of the backup first that it is there
  if (copy?.status === 'backing-up' && backup?.status !== 'creating' && backup?.status !== 'stuck')
    yield ['the clone is free again', { ...at, copy: changed(copy, { status: 'available' }) }]
  if (backup?.status === 'creating') {
    yield ['the backup is ready', { ...at, backup: { ...backup, status: 'available' } }]
    yield* once(at, 'cinder', 'there is no cinder-backup, or it restarts', {
      ...at,
      backup: { ...backup, status: 'error' },
    })
    yield* once(at, 'cinder', 'cinder-backup dies', {
      ...at,
      backup: { ...backup, status: 'stuck' },
    })
  }
  // nobody does before the claim has its volume back
  if (backup?.status === 'stuck' && (saved.phase === 'CleaningUp' || saved.phase === 'Abandoning'))
    yield ['an administrator resets the backup', { ...at, backup: { ...backup, status: 'error' } }]
  if (backup?.status === 'deleting') yield ['the backup is gone', without(at, 'backup')]
  if (restored?.status === 'creating' && backup !== undefined) {
    const ended = (change: Partial<typeof restored>): State => ({
      ...at,
      backup: { ...backup, status: 'available' },
      restored: changed(restored, change),
    })
    yield [
      'the backup is restored, with old metadata',
      ended({ status: 'available', data: backup.data, isOfBackup: true, isMarked: false }),
    ]
    yield* once(at, 'cinder', 'the restore fails', ended({ status: 'error_restoring' }))
    yield* once(at, 'cinder', 'an empty volume is made', ended({ status: 'available' }))
  }
  if (restored?.status === 'deleting') yield ['the new volume is gone', without(at, 'restored')]
}

/** A CronJob: its Pod waits, attaches, reads, writes and goes. */
function* pods(at: State): Generator<Event<State>> {
  const { pod, pv } = at
  if (pod === undefined) {
    if (!at.claim) return
    yield* once(at, 'pod', 'a Pod needs the claim', { ...at, pod: { wrote: false } })
    if (pv?.shape === 'held')
      yield* once(at, 'pod', 'a Pod with a node needs the claim', {
        ...at,
        pod: { wrote: false },
        parkedAttachment: true,
      })
    return
  }
  const { on, wrote } = pod
  const { pod: _gone, ...rest } = at
  if (on === undefined) {
    const target = pv?.shape === 'copy' ? copyIn(at) : 'source'
    const volume = at[target]
    if (pv === undefined || !pv.bound || pv.shape === 'held' || volume === undefined) return
    // the attacher refuses what is being deleted
    if (pv.terminating) return
    if (volume.status !== 'available') return
    const lie = isOutdated(at, volume) ? { lie: 'a Pod reads old data' } : {}
    yield [
      'the Pod attaches',
      {
        ...at,
        ...lie,
        pod: { on: target, wrote },
        pv: { ...pv, finalizers: [...pv.finalizers.filter((f) => f !== 'attacher'), 'attacher'] },
        [target]: changed(volume, { status: 'in-use' }),
      },
    ]
    return
  }
  const volume = at[on]
  if (volume === undefined || pv === undefined) {
    yield ['the volume of a Pod is gone', { ...at, lie: 'the volume of a Pod is gone' }]
    return
  }
  if (!wrote) {
    // after the wish for a rollback it is lost, as announced
    const newest = at.newest + (on !== 'source' && at.wish === 'rollback' ? 0 : 1)
    yield [
      'the Pod writes',
      { ...at, newest, pod: { on, wrote: true }, [on]: { ...volume, data: newest } },
    ]
  }
  yield ['the Pod ends', { ...rest, [on]: changed(volume, { status: 'available' }) }]
}

/** In a cluster that was put back nobody can promise more than that both are kept. */
function isOutdated({ newest, etcd: backup }: State, { data }: Volume): boolean {
  return data < newest && backup !== 'restored'
}

function* people(at: State): Generator<Event<State>> {
  const { source, saved } = at
  if (at.claim && at.pod === undefined) {
    const { pod: _pod, ...rest } = at
    yield* once(at, 'claim', 'the claim is deleted', withoutReleased({ ...rest, claim: false }))
  }
  if (at.wish === undefined) {
    yield* once(at, 'wish', 'a person cancels', { ...at, wish: 'cancel' })
    // what was written since is lost, as the person was warned
    if (saved.phase === 'Soaking' && source !== undefined)
      yield* once(at, 'wish', 'a person wants the former volume back', {
        ...at,
        wish: 'rollback',
        newest: source.data,
      })
  }
  const { pv } = at
  // once the claim is gone the CSI driver may have been faster
  if (at.claim && pv?.policy === 'Delete' && saved.restored === String(pv.uid) && isCalm(at))
    yield* once(at, 'policy', 'an administrator sets Retain', {
      ...at,
      pv: { ...pv, policy: 'Retain' },
      wanted: 'Retain',
    })
  if (at.late) return
  // it comes to what never ends in any case, and soon to an old record
  const isOld = at.etcd === 'restored' && saved.phase === 'Copying'
  if (at.backup?.status === 'stuck' || isOld) yield ['the deadline passes', { ...at, late: true }]
  else yield* once(at, 'wish', 'the deadline passes', { ...at, late: true })
}

/** No call is being made or on its way. */
function isCalm({ sending, flying }: State): boolean {
  return sending === undefined && flying.length === 0
}

/** What others make of the former volume, or do to it past Kubernetes. */
function* neighbours(at: State): Generator<Event<State>> {
  const { source, pv, saved } = at
  if (at.userSnapshot) yield ['the backup is deleted', { ...at, userSnapshot: false }]
  else if (source?.status === 'available' || source?.status === 'in-use')
    yield* once(at, 'snapshot', 'somebody makes a snapshot', { ...at, userSnapshot: true })
  if (at.otherPv) yield ['the other PersistentVolume is deleted', { ...at, otherPv: false }]
  else if (saved.phase === 'CleaningUp' && isCalm(at))
    yield* once(at, 'handle', 'somebody makes a PersistentVolume of the source', {
      ...at,
      otherPv: true,
    })
  yield* twins(at)
  if (source === undefined || pv?.shape !== 'held') return
  if (at.stranger)
    yield [
      'the stranger detaches',
      { ...at, stranger: false, source: changed(source, { status: 'available' }) },
    ]
  else if (saved.phase === 'Copying' && source.status === 'available')
    yield* once(at, 'stranger', 'a stranger attaches and writes', {
      ...at,
      stranger: true,
      newest: at.newest + 1,
      source: changed(source, { status: 'in-use', data: at.newest + 1 }),
    })
}

/** Everything that Kubernetes knows goes back to what it was; Cinder, and time, do not. */
function* etcd(at: State): Generator<Event<State>> {
  const { saved, pv, etcd: backup, source } = at
  if (!at.world.troubles.includes('etcd') || !isCalm(at)) return
  const isSwitched = saved.journal.some(
    (e) => e.act === 'createPersistentVolume' && e.of === 'copy',
  )
  const isBefore = saved.phase === 'Copying' || saved.phase === 'Switching'
  // from one in the gap it goes on as from one right before it
  const isHeld = pv?.terminating === false && at.pod === undefined && at.confirming === undefined
  if (backup === undefined && isBefore && !isSwitched && isHeld)
    yield ['etcd is backed up', { ...at, etcd: { saved, pv } }]
  if (backup === 'restored') yield* compared(at)
  // before anything was written to the copy it has nothing to lose
  else if (backup !== undefined && !isFinished(at) && at.newest > 0) {
    if (source?.status !== 'available' || at.pod?.on !== undefined) return
    const { pv: _pv, pod: _pod, wish: _wish, confirming: _confirming, ...rest } = at
    const before = {
      ...backup,
      etcd: 'restored',
      quiet: false,
      soaked: false,
      parkedAttachment: false,
    } as const
    yield* once(at, 'etcd', 'etcd is put back', { ...rest, ...before })
  }
}

/** An administrator brings what is newer to the volume that the claim has now, and deletes the other one. */
function* compared(at: State): Generator<Event<State>> {
  const { saved, source, pod } = at
  const copy = at[copyIn(at)]
  if (saved.phase !== 'CleaningUp' || saved.keeps !== 'original' || source === undefined) return
  if (copy?.takenOver === true && copy.status === 'available' && pod === undefined)
    yield ['an administrator deletes the copy', { ...without(at, copyIn(at)), newest: source.data }]
}

/** Such a call may arrive at any time after the one that it repeats. */
function* twins(at: State): Generator<Event<State>> {
  if (at.twin !== undefined || isFinished(at)) return
  const { snapshot, source, copy, backup, saved } = at
  const isDone = (act: JournalEntry['act']) =>
    saved.journal.some((e) => e.act === act && e.id !== undefined)
  if (source?.status === 'available' && isDone('createSnapshot'))
    yield* once(at, 'twin', 'a suspended leader makes a snapshot', { ...at, twin: 'snapshot' })
  if (snapshot?.status === 'available' && isDone('cloneVolume'))
    yield* once(at, 'twin', 'a suspended leader makes a copy', { ...at, twin: 'copy' })
  if (copy?.status === 'available' && isDone('createBackup'))
    yield* once(at, 'twin', 'a suspended leader makes a backup', { ...at, twin: 'backup' })
  if (backup?.status === 'available' && isDone('restoreBackup'))
    yield* once(at, 'twin', 'a suspended leader restores the backup', { ...at, twin: 'restored' })
}
