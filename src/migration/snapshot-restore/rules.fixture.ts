import type { Maker } from './saved.ts'
import { COPYING } from './state-space.fixture.ts'
import { copyIn, isFinished, MOST_ATTEMPTS } from './world.fixture.ts'
import type { State } from './world.fixture.ts'

function policyOf({ wanted, world }: State): string {
  return wanted ?? world.policy
}

/** What no state may show. */
export function rule(at: State): string | undefined {
  if (at.lie !== undefined) return at.lie
  const twice = Object.entries(at.begun).find(([, times]) => times > 1)
  if (twice !== undefined) return `${twice[0]} has run twice`
  if (at.saved.journal.some((e) => COPYING.has(e.act) && e.attempts > MOST_ATTEMPTS))
    return 'a call is repeated without end'
  return lost(at) ?? unnamed(at) ?? (isFinished(at) ? (leftBehind(at) ?? wrongEnd(at)) : undefined)
}

function lost(at: State): string | undefined {
  const { source, copy, snapshot, restored, pv } = at
  if (at.claim || policyOf(at) === 'Retain') {
    const data = [source, copy, snapshot, restored].map((v) =>
      v?.status === 'deleting' ? -1 : (v?.data ?? -1),
    )
    if (Math.max(...data) < at.newest) return 'the newest data is gone'
  }
  const bound = pv?.shape === 'copy' ? at[copyIn(at)] : source
  return at.claim && pv?.bound === true && pv.shape !== 'held' && bound === undefined
    ? 'the claim is bound to nothing'
    : undefined
}

/** Of what may exist the journal has an entry. */
function unnamed({ saved, snapshot, copy, backup, restored }: State): string | undefined {
  const named = (act: Maker) =>
    saved.journal.some((e) => e.act === act && (e.state === 'Asked' || e.state === 'Done'))
  if (snapshot !== undefined && !named('createSnapshot'))
    return 'the snapshot is not in the journal'
  if (copy !== undefined && !named('cloneVolume')) return 'the copy is not in the journal'
  if (backup !== undefined && !named('createBackup')) return 'the backup is not in the journal'
  return restored !== undefined && !named('restoreBackup')
    ? 'the new volume is not in the journal'
    : undefined
}

function leftBehind(at: State): string | undefined {
  const { pv } = at
  if (at.flying.length > 0) return 'ends while a call is on its way'
  if (at.snapshot !== undefined) return 'ends and leaves the snapshot'
  if (at.backup !== undefined) return 'ends and leaves the backup'
  if (at.copy !== undefined && copyIn(at) === 'restored') return 'ends and leaves the clone'
  if (at.twin !== undefined) return 'ends and leaves what was made twice'
  if (pv?.finalizers.includes('own') === true) return 'ends and leaves the finalizer'
  return at.parkedAttachment && pv !== undefined && at.claim
    ? 'ends and leaves the VolumeAttachment'
    : undefined
}

function wrongEnd(at: State): string | undefined {
  const { pv, source } = at
  const copy = at[copyIn(at)]
  if (!at.claim && policyOf(at) === 'Delete') return wronglyDeleted(at)
  if (pv === undefined) return 'ends without a PersistentVolume'
  if (pv.policy !== policyOf(at)) return 'ends without the reclaim policy'
  const kept = pv.shape === 'copy' ? copy : source
  if (pv.shape === 'held' || kept === undefined || kept.data < at.newest)
    return 'ends without the newest data'
  if (pv.shape === 'original' && copy !== undefined) return 'ends and leaves the copy'
  return at.claim ? wronglyBound(at, pv) : undefined
}

/** The CSI driver deletes what the PersistentVolume stands for. */
function wronglyDeleted(at: State): string | undefined {
  const { pv, source } = at
  const copy = at[copyIn(at)]
  if (copy !== undefined && pv?.shape !== 'copy') return 'ends and leaves the copy'
  if (source !== undefined && pv?.shape !== 'original') return 'ends and leaves the source'
  return pv !== undefined && pv.policy !== 'Delete' ? 'ends without the reclaim policy' : undefined
}

function wronglyBound(at: State, pv: NonNullable<State['pv']>): string | undefined {
  const { source, saved, restored } = at
  const copy = at[copyIn(at)]
  if (pv.terminating) return 'ends with a PersistentVolume that is being deleted'
  if (!pv.bound) return 'ends while the claim is Lost'
  if (pv.shape === 'copy' && source !== undefined) return 'ends and leaves the source'
  if (pv.shape === 'copy' && copy?.type !== 'to') return 'ends with a copy of the old type'
  if (pv.shape === 'copy' && restored?.isMarked === false)
    return 'ends with the metadata of the clone'
  return (saved.phase === 'Succeeded') === (pv.shape === 'copy') ? undefined : 'the end is not so'
}
