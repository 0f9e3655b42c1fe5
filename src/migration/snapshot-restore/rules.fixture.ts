import { COPYING } from './state-space.fixture.ts'
import { isFinished, MOST_ATTEMPTS } from './world.fixture.ts'
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
  const { source, copy, snapshot, pv } = at
  if (at.claim || policyOf(at) === 'Retain') {
    const data = [source, copy, snapshot].map((v) =>
      v?.status === 'deleting' ? -1 : (v?.data ?? -1),
    )
    if (Math.max(...data) < at.newest) return 'the newest data is gone'
  }
  const bound = pv?.shape === 'copy' ? copy : source
  return at.claim && pv?.bound === true && pv.shape !== 'held' && bound === undefined
    ? 'the claim is bound to nothing'
    : undefined
}

/** Of what may exist the journal has an entry. */
function unnamed({ saved, snapshot, copy }: State): string | undefined {
  const named = (act: 'createSnapshot' | 'cloneVolume') =>
    saved.journal.some((e) => e.act === act && (e.state === 'Asked' || e.state === 'Done'))
  if (snapshot !== undefined && !named('createSnapshot'))
    return 'the snapshot is not in the journal'
  return copy !== undefined && !named('cloneVolume') ? 'the copy is not in the journal' : undefined
}

function leftBehind(at: State): string | undefined {
  const { pv } = at
  if (at.flying.length > 0) return 'ends while a call is on its way'
  if (at.snapshot !== undefined) return 'ends and leaves the snapshot'
  if (at.twin !== undefined) return 'ends and leaves what was made twice'
  if (pv?.finalizers.includes('own') === true) return 'ends and leaves the finalizer'
  return at.parkedAttachment && pv !== undefined && at.claim
    ? 'ends and leaves the VolumeAttachment'
    : undefined
}

function wrongEnd(at: State): string | undefined {
  const { pv, source, copy } = at
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
function wronglyDeleted({ pv, source, copy }: State): string | undefined {
  if (copy !== undefined && pv?.shape !== 'copy') return 'ends and leaves the copy'
  if (source !== undefined && pv?.shape !== 'original') return 'ends and leaves the source'
  return pv !== undefined && pv.policy !== 'Delete' ? 'ends without the reclaim policy' : undefined
}

function wronglyBound(
  { source, copy, saved }: State,
  pv: NonNullable<State['pv']>,
): string | undefined {
  if (pv.terminating) return 'ends with a PersistentVolume that is being deleted'
  if (!pv.bound) return 'ends while the claim is Lost'
  if (pv.shape === 'copy' && source !== undefined) return 'ends and leaves the source'
  if (pv.shape === 'copy' && copy?.type !== 'to') return 'ends with a copy of the old type'
  return (saved.phase === 'Succeeded') === (pv.shape === 'copy') ? undefined : 'the end is not so'
}
