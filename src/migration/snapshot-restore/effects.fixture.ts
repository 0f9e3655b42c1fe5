import type { ReplaceAct, ReplaceAnswer } from './saved.ts'
import { copyIn } from './world.fixture.ts'
import type { Finalizer, State, Volume, VolumeId } from './world.fixture.ts'

type Effect = { readonly state: State; readonly answer: ReplaceAnswer }

const FINALIZERS = {
  protection: 'kubernetes.io/pv-protection',
  provisioner: 'external-provisioner.volume.kubernetes.io/finalizer',
  attacher: 'external-attacher/cinder-csi-openstack-org',
  own: 'couchestor.io/replacing',
} as const satisfies Record<Finalizer, string>

export function finalizersOf(pv: NonNullable<State['pv']>): string[] {
  return pv.finalizers.map((f) => FINALIZERS[f])
}

export function versionOf({ policy, terminating, finalizers }: NonNullable<State['pv']>): string {
  return `${policy} ${terminating} ${finalizers.join()}`
}

/** What Cinder or the API server make of a call that arrives. */
export function effectOf(at: State, act: ReplaceAct): Effect {
  if (isByBackup(act)) return byBackup(at, act)
  if (isById(act)) return BY_ID[act.act](at, act.id)
  switch (act.act) {
    case 'createSnapshot':
      return at.source === undefined || at.source.status === 'deleting'
        ? refused(at, 404)
        : made({ ...at, snapshot: { status: 'creating', data: at.source.data } }, act, 'snapshot')
    case 'cloneVolume':
      return at.snapshot?.status === 'available'
        ? made({ ...at, copy: volume(at.snapshot.data) }, act, 'copy')
        : refused(at, 400)
    case 'retype':
      return at.copy?.status === 'available' && at.copy.type === 'from'
        ? made({ ...at, copy: changed(at.copy, { status: 'retyping' }) }, act)
        : refused(at, 400)
    case 'createPersistentVolume':
      return created(at, act.shape)
    case 'deleteVolumeAttachment':
      return { state: { ...at, parkedAttachment: false }, answer: { kind: 'Accepted' } }
    case 'setReclaimPolicy':
    case 'deletePersistentVolume':
    case 'releasePersistentVolume':
      return onPersistentVolume(at, act)
  }
}

const BY_ID = {
  markTakenOver: taken,
  deleteBackup: backupDeleted,
  deleteSnapshot: snapshotDeleted,
  deleteVolume: volumeDeleted,
}

function isById(act: ReplaceAct): act is Extract<ReplaceAct, { act: keyof typeof BY_ID }> {
  return act.act in BY_ID
}

type ByBackup = Extract<ReplaceAct, { act: 'createBackup' | 'restoreBackup' | 'markVolume' }>

function isByBackup(act: ReplaceAct): act is ByBackup {
  return act.act === 'createBackup' || act.act === 'restoreBackup' || act.act === 'markVolume'
}

function byBackup(at: State, act: ByBackup): Effect {
  switch (act.act) {
    case 'createBackup':
      return at.copy?.status === 'available'
        ? made(
            {
              ...at,
              copy: changed(at.copy, { status: 'backing-up' }),
              backup: { status: 'creating', data: at.copy.data },
            },
            act,
            'backup',
          )
        : refused(at, 400)
    case 'restoreBackup':
      return at.backup?.status === 'available'
        ? made(
            {
              ...at,
              backup: { ...at.backup, status: 'restoring' },
              // what it holds comes in the end
              restored: { ...volume(-1), type: 'to', isOfBackup: false, isMarked: true },
            },
            act,
            'restored',
          )
        : refused(at, 400)
    case 'markVolume':
      return at.restored === undefined || act.id !== 'restored'
        ? refused(at, 404)
        : {
            state: { ...at, restored: { ...at.restored, isMarked: true } },
            answer: { kind: 'Accepted' },
          }
  }
}

function taken(at: State, id: string): Effect {
  const marked = id === 'copy' || id === 'restored' ? at[id] : undefined
  return marked === undefined
    ? refused(at, 404)
    : { state: { ...at, [id]: { ...marked, takenOver: true } }, answer: { kind: 'Accepted' } }
}

function volume(data: number): Volume {
  return { status: 'creating', data, type: 'from', changes: 0 }
}

export function changed<V extends Volume>(of: V, change: Partial<V>): V {
  return { ...of, ...change, changes: of.changes + 1 }
}

function made(at: State, { act }: ReplaceAct, id?: string): Effect {
  const begun = { ...at.begun, [act]: (at.begun[act] ?? 0) + 1 }
  return {
    state: { ...at, begun },
    answer: { kind: 'Accepted', ...(id === undefined ? {} : { id }) },
  }
}

function refused(at: State, httpStatus: number): Effect {
  return { state: at, answer: { kind: 'Rejected', httpStatus, message: '' } }
}

function lying(at: State, lie: string | undefined): State {
  return lie === undefined ? at : { ...at, lie }
}

function twinDeleted(at: State, twin: NonNullable<State['twin']>): Effect {
  const { twin: is, ...rest } = at
  if (is !== twin) return refused(at, 404)
  const isNamed = at.saved.journal.some((e) => e.id === 'twin')
  return {
    state: lying(rest, isNamed ? undefined : 'deletes what is not in the journal'),
    answer: { kind: 'Accepted' },
  }
}

function snapshotDeleted(at: State, id: string): Effect {
  if (id === 'twin') return twinDeleted(at, 'snapshot')
  if (id !== 'snapshot')
    return { state: { ...at, lie: `deletes ${id}` }, answer: { kind: 'Accepted' } }
  const { snapshot } = at
  return snapshot?.status === 'available' || snapshot?.status === 'error'
    ? {
        state: { ...at, snapshot: { ...snapshot, status: 'deleting' } },
        answer: { kind: 'Accepted' },
      }
    : refused(at, snapshot === undefined ? 404 : 400)
}

function backupDeleted(at: State, id: string): Effect {
  if (id === 'twin') return twinDeleted(at, 'backup')
  if (id !== 'backup')
    return { state: { ...at, lie: `deletes ${id}` }, answer: { kind: 'Accepted' } }
  const { backup } = at
  return backup?.status === 'available' || backup?.status === 'error'
    ? { state: { ...at, backup: { ...backup, status: 'deleting' } }, answer: { kind: 'Accepted' } }
    : refused(at, backup === undefined ? 404 : 400)
}

function volumeDeleted(at: State, id: string): Effect {
  if (id === 'twin') return twinDeleted(at, at.twin === 'restored' ? 'restored' : 'copy')
  if (id !== 'source' && id !== 'copy' && id !== 'restored')
    return { state: { ...at, lie: `deletes ${id}` }, answer: { kind: 'Accepted' } }
  const target = at[id]
  const hasSnapshots =
    id === 'source' && (at.snapshot !== undefined || at.userSnapshot || at.twin === 'snapshot')
  if (target === undefined) return refused(at, 404)
  if (!DELETABLE.has(target.status) || hasSnapshots) return refused(at, 400)
  const state = { ...at, [id]: changed(target, { status: 'deleting' }) }
  return { state: lying(state, wrongDeletion(at, id)), answer: { kind: 'Accepted' } }
}

const DELETABLE: ReadonlySet<Volume['status']> = new Set<Volume['status']>([
  'available',
  'error',
  'error_restoring',
])

/** What speaks against it, when it arrives. */
function wrongDeletion(at: State, id: VolumeId): string | undefined {
  const isInPlace = at.pv?.shape === 'copy' ? id === copyIn(at) : id === 'source'
  if (at.pv !== undefined && at.pv.shape !== 'held' && isInPlace)
    return `deletes volume ${id} of the PersistentVolume`
  if (id === 'source' && at.otherPv) return 'deletes the volume of another PersistentVolume'
  if (!at.claim) return undefined
  if (at.pv === undefined || !at.pv.bound) return `deletes volume ${id} while the claim is Lost`
  if (at.pv.shape === 'held') return `deletes volume ${id} while the claim is held`
  return id === 'source' && !at.soaked ? 'deletes the source before the soak is over' : undefined
}

function created(at: State, shape: NonNullable<State['pv']>['shape']): Effect {
  if (at.pv !== undefined) return refused(at, 409)
  const pv = {
    uid: at.pvs + 1,
    shape,
    policy: 'Retain',
    finalizers: ['protection', 'own'],
    terminating: false,
    bound: false,
  } as const
  const volumeOf = shape === 'copy' ? at[copyIn(at)] : at.source
  const isWrong = at.claim && volumeOf === undefined
  return {
    state: lying({ ...at, pv, pvs: pv.uid }, isWrong ? 'a PersistentVolume of nothing' : undefined),
    answer: { kind: 'Accepted' },
  }
}

type OnPersistentVolume = Extract<ReplaceAct, { uid: string }>

function onPersistentVolume(at: State, act: OnPersistentVolume): Effect {
  const { pv } = at
  if (pv === undefined) return refused(at, 404)
  if (String(pv.uid) !== act.uid) return refused(at, 409)
  const accepted = (change: Partial<typeof pv>, lie?: string): Effect => ({
    state: lying(withoutReleased({ ...at, pv: { ...pv, ...change } }), lie),
    answer: { kind: 'Accepted' },
  })
  switch (act.act) {
    case 'setReclaimPolicy': {
      const isEarly = act.policy === 'Delete' && at.claim && !pv.bound
      const finalizers = [...pv.finalizers, 'provisioner'] as const
      return accepted(
        act.policy === 'Retain' || pv.finalizers.includes('provisioner')
          ? { policy: act.policy }
          : { policy: act.policy, finalizers },
        isEarly ? 'policy Delete before the claim is bound' : undefined,
      )
    }
    case 'deletePersistentVolume':
      return accepted(
        { terminating: true },
        pv.policy === 'Delete' ? 'deletes a PersistentVolume with policy Delete' : undefined,
      )
    case 'releasePersistentVolume': {
      if (act.resourceVersion !== versionOf(pv)) return refused(at, 409)
      const kept = pv.finalizers.filter((f) => act.keep.includes(FINALIZERS[f]))
      const taken = pv.finalizers.filter((f) => !kept.includes(f))
      // a Pod that waits keeps it, and is attached to nothing
      const isStalled = at.pod !== undefined && at.pod.on === undefined
      const isTaken = (taken.includes('attacher') && !isStalled) || taken.includes('provisioner')
      return accepted(
        { finalizers: kept },
        isTaken ? 'takes the finalizer of a sidecar' : undefined,
      )
    }
    case 'deleteVolumeAttachment':
      throw new Error('not about a PersistentVolume')
  }
}

/** A PersistentVolume goes with its last finalizer, and pv-protection goes by itself once no claim is bound. */
export function withoutReleased(at: State): State {
  const { pv, ...rest } = at
  if (pv === undefined || !pv.terminating) return at
  const finalizers = pv.finalizers.filter((f) => f !== 'protection' || at.claim)
  return finalizers.length === 0 ? rest : { ...at, pv: { ...pv, finalizers } }
}
