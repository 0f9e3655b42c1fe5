import { nextReplaceStep } from './machine.ts'
import { OWN_FINALIZER } from './manifest.ts'
import { metadataOf, nameOf, TAKEN_OVER } from './names.ts'
import type { ReplaceInput, ReplaceOutcome } from './outcome.ts'
import { policyOf } from './saved.ts'
import type { Phase, Saved } from './saved.ts'
import type { CinderSeen, KubeSeen } from './sight.ts'
import type { Machine } from './state-space.fixture.ts'

type Change<Part> = (part: Part, input: ReplaceInput) => Partial<Part>

/** The machine, shown something else of Kubernetes than there is. */
function kubeAs(change: Change<KubeSeen>): Machine {
  return (input) => {
    const kube = input.sight?.kube
    if (input.sight === undefined || kube?.kind !== 'Seen') return nextReplaceStep(input)
    return nextReplaceStep({
      ...input,
      sight: { ...input.sight, kube: { ...kube, ...change(kube, input) } },
    })
  }
}

export function cinderAs(change: Change<CinderSeen>): Machine {
  return (input) => {
    const cinder = input.sight?.cinder
    if (input.sight === undefined || cinder?.kind !== 'Seen') return nextReplaceStep(input)
    return nextReplaceStep({
      ...input,
      sight: { ...input.sight, cinder: { ...cinder, ...change(cinder, input) } },
    })
  }
}

function savedAs(change: Change<Saved>): Machine {
  return (input) =>
    nextReplaceStep({ ...input, saved: { ...input.saved, ...change(input.saved, input) } })
}

function instead(change: (next: ReplaceOutcome, input: ReplaceInput) => ReplaceOutcome): Machine {
  return (input) => change(nextReplaceStep(input), input)
}

function pvAs(change: Change<NonNullable<KubeSeen['pv']>>, ...phases: Phase[]): Machine {
  return kubeAs(({ pv }, input) =>
    pv === undefined || (phases.length > 0 && !phases.includes(input.saved.phase))
      ? {}
      : { pv: { ...pv, ...change(pv, input) } },
  )
}

const NOTHING = { kind: 'Seen', source: undefined, copies: [], snapshots: [] } as const
const NO_KUBE = {
  kind: 'Seen',
  claim: undefined,
  pv: undefined,
  pods: 0,
  attachments: [],
  otherHandles: [],
} as const

/** Machines that have to be found. */
export const BROKEN: readonly (readonly [string, Machine])[] = [
  [
    'does not wait until no call can be on its way',
    (input) => nextReplaceStep({ ...input, quietUntil: input.now }),
  ],
  [
    'takes one read for two that agree',
    (input) => {
      const next = nextReplaceStep(input)
      return next.kind === 'wait' && next.confirm !== undefined
        ? nextReplaceStep({ ...input, confirming: { what: next.confirm, ms: Infinity } })
        : next
    },
  ],
  [
    'takes an unanswered call for one that made nothing',
    savedAs(({ journal }) => ({
      journal: journal.map((e) => (e.state === 'Asked' ? { ...e, state: 'None' } : e)),
    })),
  ],
  [
    'repeats without end what never arrives',
    (input) => nextReplaceStep({ ...input, timing: { ...input.timing, mostAttempts: Infinity } }),
  ],
  [
    'takes a name for a proof',
    cinderAs(({ copies, snapshots }, { saved: { origin } }) => ({
      copies: copies.map((v) =>
        v.name === nameOf(origin, 'cloneVolume')
          ? { ...v, metadata: metadataOf(origin, 'cloneVolume') }
          : v,
      ),
      snapshots: snapshots.map((s) =>
        s.name === nameOf(origin, 'createSnapshot')
          ? { ...s, metadata: metadataOf(origin, 'createSnapshot') }
          : s,
      ),
    })),
  ],
  [
    'leaves what was made twice',
    cinderAs(({ copies, snapshots }) => ({
      copies: copies.filter((v) => v.id !== 'twin'),
      snapshots: snapshots.filter((s) => s.id !== 'twin'),
    })),
  ],
  [
    'ends the soak at once',
    (input) => nextReplaceStep({ ...input, timing: { ...input.timing, maxSoakMs: 0 } }),
  ],
  [
    'never ends the soak',
    (input) => nextReplaceStep({ ...input, timing: { ...input.timing, maxSoakMs: Infinity } }),
  ],
  ['does not care what other PersistentVolumes stand for', kubeAs(() => ({ otherHandles: [] }))],
  [
    'deletes a PersistentVolume without setting Retain',
    instead((next) =>
      next.kind === 'act' && next.act.act === 'setReclaimPolicy' && next.act.policy === 'Retain'
        ? { kind: 'act', act: { act: 'deletePersistentVolume', uid: next.act.uid } }
        : next,
    ),
  ],
  [
    'takes off the finalizers of sidecars',
    instead((next, { sight }) => {
      const pv = sight?.kube.kind === 'Seen' ? sight.kube.pv : undefined
      return next.kind === 'wait' && next.why.includes('sidecar') && pv !== undefined
        ? { kind: 'act', act: { act: 'releasePersistentVolume', ...pv, keep: [] } }
        : next
    }),
  ],
  [
    'replaces what is attached',
    (input) =>
      kubeAs(() => ({ pods: 0, attachments: [] }))(
        input.sight?.cinder.kind === 'Seen'
          ? {
              ...input,
              sight: {
                ...input.sight,
                cinder: {
                  ...input.sight.cinder,
                  source: input.sight.cinder.source && {
                    ...input.sight.cinder.source,
                    status: 'available',
                    attached: false,
                  },
                },
              },
            }
          : input,
      ),
  ],
  ['copies on while a Pod waits', kubeAs(() => ({ pods: 0 }))],
  [
    'copies on although a person cancels',
    ({ wish, ...input }) =>
      nextReplaceStep(wish === 'cancel' ? input : { ...input, ...(wish && { wish }) }),
  ],
  [
    'is never late',
    (input) => nextReplaceStep({ ...input, saved: { ...input.saved, deadline: Infinity } }),
  ],
  [
    'deletes a copy that the claim has had by a record of which it does not know',
    cinderAs(({ copies }, { saved: { phase } }) => ({
      copies: copies.map((v) => {
        const { [TAKEN_OVER]: _mark, ...metadata } = v.metadata
        return phase === 'CleaningUp' ? { ...v, metadata } : v
      }),
    })),
  ],
  [
    'does not see that a copy was changed since it was marked',
    cinderAs(({ copies }, { saved: { journal } }) => ({
      copies: copies.map((v) => ({
        ...v,
        updatedAt: journal.find((e) => e.act === 'markTakenOver')?.of ?? v.updatedAt,
      })),
    })),
  ],
  [
    'does not see that the source was changed',
    cinderAs(({ source }, { saved }) => ({
      source: source && {
        ...source,
        status: 'available',
        attached: false,
        updatedAt: saved.sourceUpdatedAt ?? source.updatedAt,
      },
    })),
  ],
  [
    'takes an API server that does not answer for a deleted claim',
    (input) =>
      nextReplaceStep(
        input.sight?.kube.kind === 'Unreadable'
          ? {
              ...input,
              sight: { ...input.sight, kube: NO_KUBE },
              confirming: { what: 'claimGone', ms: Infinity },
            }
          : input,
      ),
  ],
  [
    'takes a Cinder that does not answer for one that knows nothing',
    (input) =>
      instead((next) =>
        next.kind === 'wait' && next.confirm === 'absent'
          ? nextReplaceStep({ ...input, confirming: { what: 'absent', ms: Infinity } })
          : next,
      )(
        input.sight?.cinder.kind === 'Unreadable'
          ? {
              ...input,
              sight: { ...input.sight, cinder: NOTHING },
              confirming: { what: 'absent', ms: Infinity },
            }
          : input,
      ),
  ],
  [
    'leaves Retain behind',
    pvAs(
      (_, { saved }) => ({
        policy: saved.origin.manifest.spec.persistentVolumeReclaimPolicy ?? '',
      }),
      'Soaking',
      'CleaningUp',
    ),
  ],
  [
    'does not care what an administrator makes of the reclaim policy',
    (input) =>
      pvAs(({ policy, uid }, { saved }) => ({
        policy: saved.restored === uid ? policyOf(saved) : policy,
      }))(input),
  ],
  [
    'leaves its finalizer behind',
    pvAs(
      ({ finalizers }) => ({ finalizers: finalizers.filter((f) => f !== OWN_FINALIZER) }),
      'CleaningUp',
    ),
  ],
  [
    'sets Delete before the claim is bound',
    instead((next, { saved, sight }) => {
      const pv = sight?.kube.kind === 'Seen' ? sight.kube.pv : undefined
      return saved.phase === 'Switching' &&
        next.kind === 'wait' &&
        pv?.terminating === false &&
        pv.handle === 'copy'
        ? { kind: 'act', act: { act: 'setReclaimPolicy', uid: pv.uid, policy: 'Delete' } }
        : next
    }),
  ],
  [
    'discards the copy before the claim is given back',
    instead((next, { saved, sight }) => {
      const isMade =
        sight?.cinder.kind === 'Seen' &&
        sight.cinder.copies.some((v) => v.id === 'copy' && v.status === 'available')
      return saved.phase === 'GivingBack' && isMade && saved.reason !== 'RolledBack'
        ? { kind: 'act', act: { act: 'deleteVolume', id: 'copy' } }
        : next
    }),
  ],
  [
    'switches to a copy of the old type',
    cinderAs(({ copies }) => ({ copies: copies.map((v) => ({ ...v, typeId: 'to' })) })),
  ],
  [
    'gives a claim the copy back that is not finished',
    instead((next, { saved }) =>
      next.kind === 'act' &&
      next.act.act === 'createPersistentVolume' &&
      saved.phase === 'GivingBack'
        ? { kind: 'act', act: { act: 'createPersistentVolume', shape: 'copy' } }
        : next,
    ),
  ],
  [
    'forgets what it has made',
    instead((next) =>
      next.kind === 'save'
        ? {
            ...next,
            saved: { ...next.saved, journal: next.saved.journal.filter((e) => e.state !== 'Done') },
          }
        : next,
    ),
  ],
  [
    'deletes what a claim was to keep',
    savedAs(({ phase }) => (phase === 'Holding' ? {} : { policy: 'Delete' as const })),
  ],
  [
    'does not see that the claim is gone',
    kubeAs(({ claim }) => ({ claim: claim ?? { phase: 'Lost' } })),
  ],
  [
    'leaves a claim alone whose PersistentVolume is gone',
    instead((next) =>
      next.kind === 'act' &&
      next.act.act === 'createPersistentVolume' &&
      next.act.shape === 'original'
        ? { kind: 'wait', ms: 1, why: '' }
        : next,
    ),
  ],
  [
    'leaves what nobody else deletes',
    kubeAs(({ attachments }) => ({ attachments: attachments.filter((a) => a.name !== 'csi-2') })),
  ],
]
