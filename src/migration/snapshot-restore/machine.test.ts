import { describe, expect, it } from 'vitest'
import { PARKED_DRIVER } from './manifest.ts'
import { nextReplaceStep } from './machine.ts'
import { metadataOf, nameOf, TAKEN_OVER, takenOver } from './names.ts'
import type { ReplaceInput } from './outcome.ts'
import { answered, entryOf, intended } from './saved.ts'
import type { JournalEntry, Saved } from './saved.ts'
import type { CinderSeen, KubeSeen, SnapshotSeen, VolumeSeen } from './sight.ts'
import { FULL } from './world.fixture.ts'

const HOUR = 3_600_000
const CINDER = 'cinder.csi.openstack.org'

const SOURCE: VolumeSeen = {
  id: 'source',
  name: 'pvc-1',
  status: 'available',
  typeId: 'from',
  sizeGiB: 1,
  availabilityZone: 'nova',
  bootable: false,
  encrypted: false,
  attached: false,
  updatedAt: '0',
  metadata: {},
}
const COPY: VolumeSeen = {
  ...SOURCE,
  id: 'copy',
  name: nameOf(FULL, 'cloneVolume'),
  typeId: 'to',
  snapshotId: 'snapshot',
  metadata: metadataOf(FULL, 'cloneVolume'),
}
const SNAPSHOT: SnapshotSeen = {
  id: 'snapshot',
  name: nameOf(FULL, 'createSnapshot'),
  volumeId: 'source',
  status: 'available',
  metadata: metadataOf(FULL, 'createSnapshot'),
}
const HELD = {
  uid: 'p',
  resourceVersion: '1',
  driver: PARKED_DRIVER,
  handle: 'parked-source',
  policy: 'Retain',
  finalizers: ['kubernetes.io/pv-protection', 'couchestor.io/replacing'],
  terminating: false,
  claimUid: 'claim',
}
const ORIGINAL = { ...HELD, driver: CINDER, handle: 'source' }
const OF_COPY = { ...HELD, driver: CINDER, handle: 'copy' }

function done(act: JournalEntry['act'], id: string): JournalEntry {
  return { act, state: 'Done', attempts: 1, requestId: 'r', at: '', name: `the ${id}`, id }
}

const SAVED: Saved = {
  phase: 'Copying',
  origin: FULL,
  deadline: HOUR,
  sourceUpdatedAt: '0',
  journal: [
    done('createSnapshot', 'snapshot'),
    done('cloneVolume', 'copy'),
    done('retype', 'copy'),
  ],
}

type Change = {
  readonly saved?: Partial<Saved>
  readonly kube?: Partial<KubeSeen>
  readonly cinder?: Partial<CinderSeen>
  readonly input?: Partial<ReplaceInput>
}

/** What comes next where all reads agree. */
function next({ saved, kube, cinder, input }: Change) {
  const given: ReplaceInput = {
    saved: { ...SAVED, ...saved },
    sight: {
      kube: {
        kind: 'Seen',
        claim: { phase: 'Bound' },
        pv: HELD,
        pods: 0,
        attachments: [],
        otherHandles: [],
        ...kube,
      },
      cinder: { kind: 'Seen', source: SOURCE, copies: [COPY], snapshots: [SNAPSHOT], ...cinder },
    },
    now: 0,
    clusterId: 'here',
    objectUid: 'u',
    quietUntil: 0,
    timing: {
      pollMs: 2000,
      longestPollMs: 60_000,
      soakPollMs: 60_000,
      verifyMs: 3000,
      mostAttempts: 3,
      mountedMs: 24 * HOUR,
      maxSoakMs: 336 * HOUR,
    },
    ...input,
  }
  const first = nextReplaceStep(given)
  if (given.confirming !== undefined) return first
  return first.kind === 'wait' && first.confirm !== undefined
    ? nextReplaceStep({ ...given, confirming: { what: first.confirm, ms: Infinity } })
    : first
}

const saving = (saved: Partial<Saved>) => ({
  kind: 'save',
  saved: expect.objectContaining(saved) as unknown,
})
const waiting = (why: string) => ({ kind: 'wait', why: expect.stringContaining(why) as unknown })

describe('a copy', () => {
  const MARKED: VolumeSeen = { ...COPY, metadata: { ...COPY.metadata, ...takenOver(FULL) } }
  const MARK = { act: 'markTakenOver', id: 'copy', updatedAt: '0' } as const

  it('is marked in Cinder when it is like the volume, by two reads, before it is switched to', () => {
    expect(next({})).toEqual({ kind: 'act', act: MARK })
    expect(next({ cinder: { copies: [MARKED] } })).toEqual(saving({ phase: 'Switching' }))
  })

  it('is not switched to while Cinder does not show its mark, and given up in the end', () => {
    const marked = (attempts: number, state: JournalEntry['state'] = 'Done') => {
      const entry = {
        act: 'markTakenOver',
        of: '0',
        state,
        attempts,
        requestId: 'r',
        at: '',
      } as const
      return next({ saved: { journal: [...SAVED.journal, entry] } })
    }

    expect(marked(1)).toEqual({ kind: 'act', act: MARK })
    expect(marked(1, 'Asked')).toEqual({ kind: 'act', act: MARK })
    expect(marked(3)).toEqual(saving({ phase: 'GivingBack', reason: 'AttemptsExhausted' }))
  })

  it('is marked for its own move: the mark of an earlier one says nothing', () => {
    const metadata = { ...COPY.metadata, [TAKEN_OVER]: 'earlier' }

    expect(next({ cinder: { copies: [{ ...COPY, metadata }] } })).toEqual({
      kind: 'act',
      act: MARK,
    })
  })

  it('that Cinder does not let us mark leaves the claim with its volume', () => {
    const asked = intended(SAVED, MARK, { requestId: 'r', at: '' })
    const saved = answered(asked, { kind: 'Rejected', httpStatus: 403, message: 'no' })

    expect(next({ saved })).toEqual(saving({ phase: 'GivingBack', reason: 'Rejected' }))
  })

  /** After the claim was given its volume back, with that entry of the mark. */
  const afterwards = (entry?: Partial<JournalEntry>) => {
    const mark: JournalEntry = { ...done('markTakenOver', ''), of: '0', ...entry }
    const journal = entry === undefined ? SAVED.journal : [...SAVED.journal, mark]
    const saved = { phase: 'CleaningUp', keeps: 'original', restored: 'p', journal } as const
    const kube = { pv: { ...ORIGINAL, policy: 'Delete' } }
    return next({ saved: { ...saved, reason: 'ClaimNeeded' }, kube, cinder: { copies: [MARKED] } })
  }

  it.each<[string, Partial<JournalEntry>]>([
    ['has the mark', {}],
    ['has a mark whose answer was lost', { state: 'Asked' }],
  ])('that was marked and is given up goes when the journal %s', (_, entry) => {
    expect(afterwards(entry)).toEqual({ kind: 'act', act: { act: 'deleteVolume', id: 'copy' } })
  })

  it.each<[string, Partial<JournalEntry> | undefined]>([
    ['the journal has no mark', undefined],
    ['the mark of the journal provably never arrived', { state: 'None' }],
    ['it was changed since it was marked', { of: 'before' }],
  ])('that was marked and is given up stays when %s', (_, entry) => {
    expect(afterwards(entry)).toEqual(expect.objectContaining(waiting('has been taken over')))
  })

  it.each(['Delete', 'Retain'] as const)(
    'that was taken over by another record stays when the claim is deleted, by policy %s too',
    (policy) => {
      const gone = { phase: 'Abandoning', keeps: 'original', restored: 'p', policy } as const
      const kube = { claim: undefined, pv: { ...ORIGINAL, policy } }

      expect(next({ saved: gone, kube, cinder: { copies: [MARKED] } })).toEqual(
        expect.objectContaining(waiting('has been taken over')),
      )
    },
  )

  it('goes after a rollback, also when this record has not marked it', () => {
    const saved = {
      phase: 'CleaningUp',
      keeps: 'original',
      reason: 'RolledBack',
      restored: 'p',
    } as const
    const kube = { pv: { ...ORIGINAL, policy: 'Delete' } }

    expect(next({ saved, kube, cinder: { copies: [MARKED] } })).toEqual({
      kind: 'act',
      act: { act: 'deleteVolume', id: 'copy' },
    })
  })

  it.each<[string, Saved['journal']]>([
    ['not made yet', []],
    ['made another', [done('createSnapshot', 'snapshot'), done('cloneVolume', 'second')]],
  ])('is not made where a record that has %s finds one that was taken over', (_, journal) => {
    const copies = [MARKED, { ...COPY, id: 'second' }]

    expect(next({ saved: { journal }, cinder: { copies } })).toEqual(
      saving({ phase: 'GivingBack', reason: 'Unverified' }),
    )
  })

  it.each<[string, Partial<VolumeSeen>]>([
    ['another size', { sizeGiB: 2 }],
    ['another zone', { availabilityZone: 'other' }],
    ['bootable', { bootable: true }],
    ['encrypted', { encrypted: true }],
    ['attached', { attached: true }],
    ['of another snapshot', { snapshotId: 'other' }],
    ['of no snapshot', { snapshotId: '' }],
    ['on a third type', { typeId: 'third' }],
  ])('that is %s is discarded, and the claim gets its volume back', (_, change) => {
    expect(next({ cinder: { copies: [{ ...COPY, ...change }] } })).toEqual(
      saving({ phase: 'GivingBack', keeps: 'original', reason: 'Unverified' }),
    )
  })

  it.each(['Copying', 'Switching'] as const)(
    'is given up in %s when something else wants the workload up that was stopped for it',
    (phase) => {
      expect(next({ saved: { phase }, input: { wish: 'yield' } })).toEqual(
        saving({ phase: 'GivingBack', keeps: 'original', reason: 'WorkloadFoughtBack' }),
      )
    },
  )

  it('whose snapshot is of another volume is discarded', () => {
    const snapshots = [{ ...SNAPSHOT, volumeId: 'other' }]

    expect(next({ cinder: { snapshots } })).toEqual(saving({ reason: 'Unverified' }))
  })

  it('that is there twice is discarded', () => {
    const asked: JournalEntry = {
      act: 'cloneVolume',
      state: 'Asked',
      attempts: 1,
      requestId: 'r',
      at: '',
    }
    const journal = [done('createSnapshot', 'snapshot'), asked]

    expect(
      next({ saved: { journal }, cinder: { copies: [COPY, { ...COPY, id: 'two' }] } }),
    ).toEqual(saving({ reason: 'Unverified' }))
  })

  it.each([
    [413, true, 'QuotaExceeded'],
    [403, false, 'Rejected'],
  ])('that Cinder refuses to make (%i) leaves the claim as it was', (httpStatus, quota, reason) => {
    const act = { act: 'createSnapshot' } as const
    const asked = intended({ ...SAVED, journal: [] }, act, { requestId: 'r', at: '' })
    const saved = answered(asked, { kind: 'Rejected', httpStatus, message: 'no', quota })

    expect(next({ saved, cinder: { copies: [], snapshots: [] } })).toEqual(
      saving({ phase: 'GivingBack', reason: reason as 'Rejected' }),
    )
  })

  it.each([429, 413])(
    'that a rate limit refuses (%i) is asked for again no sooner than it says',
    (httpStatus) => {
      const act = { act: 'createSnapshot' } as const
      const asked = intended({ ...SAVED, journal: [] }, act, { requestId: 'r', at: '' })
      const refusal = {
        kind: 'Rejected',
        httpStatus,
        message: '',
        quota: false,
        retryAfterMs: 120_000,
      } as const
      const after = (ms: number) =>
        next({
          saved: answered(asked, refusal),
          cinder: { copies: [], snapshots: [] },
          input: { confirming: { what: 'again', ms } },
        })

      expect(after(119_000)).toEqual(expect.objectContaining({ kind: 'wait', ms: 1000 }))
      expect(after(120_000)).toEqual({ kind: 'act', act })
    },
  )
})

describe('a PersistentVolume', () => {
  it.each([
    ['a handle that the move does not know', { ...ORIGINAL, handle: 'other' }],
    ['another driver', { ...ORIGINAL, driver: 'rbd.csi.ceph.com' }],
    ['another claim', { ...ORIGINAL, claimUid: 'other' }],
    ['the mark of another held volume', { ...HELD, handle: 'parked-other' }],
  ])('with %s is left alone', (_, pv) => {
    expect(next({ saved: { phase: 'GivingBack' }, kube: { pv } })).toEqual(
      expect.objectContaining(waiting('did not make')),
    )
  })

  it('with a finalizer of another controller is not forced', () => {
    const pv = { ...HELD, terminating: true, finalizers: [...HELD.finalizers, 'velero.io/x'] }

    expect(next({ saved: { phase: 'GivingBack' }, kube: { pv } })).toEqual(
      expect.objectContaining(waiting('velero.io/x')),
    )
  })

  it('that is being deleted does not wait for a Pod, to which the attacher attaches nothing more', () => {
    const pv = { ...OF_COPY, terminating: true }
    const waits = [{ name: 'csi', uid: 'a', attacher: CINDER, attached: false }]
    const saved = { phase: 'GivingBack', keeps: 'original', reason: 'RolledBack' } as const
    const released = expect.objectContaining({ act: 'releasePersistentVolume' }) as unknown

    expect(next({ saved, kube: { pv, pods: 1, attachments: waits } })).toEqual({
      kind: 'act',
      act: released,
    })
    const attachments = [{ ...waits[0]!, attached: true }]
    expect(next({ saved, kube: { pv, pods: 1, attachments } })).toEqual(
      expect.objectContaining(waiting('attached')),
    )
    const copies = [{ ...COPY, status: 'reserved' }]
    expect(next({ saved, kube: { pv, pods: 1 }, cinder: { copies } })).toEqual(
      expect.objectContaining(waiting('reserved')),
    )
  })

  it('of the copy, once it is there, is not taken away from the claim by what was given up before', () => {
    const saved = { phase: 'GivingBack', keeps: 'original', reason: 'CopyVoid' } as const
    const { keeps: _keeps, reason: _reason, ...rest } = { ...SAVED, ...saved }

    expect(next({ saved, kube: { pv: OF_COPY } })).toEqual({
      kind: 'save',
      saved: { ...rest, phase: 'Switching' },
    })
  })

  it('is given back in the gap without asking Cinder', () => {
    expect(
      next({
        saved: { phase: 'GivingBack', keeps: 'original' },
        kube: { pv: undefined, claim: { phase: 'Lost' }, pods: 1 },
        cinder: { kind: 'Unreadable' } as never,
      }),
    ).toEqual({ kind: 'act', act: { act: 'createPersistentVolume', shape: 'original' } })
  })
})

describe('a deletion', () => {
  const CLEANING = { phase: 'CleaningUp', keeps: 'copy', restored: 'p' } as const
  const kube = { pv: { ...OF_COPY, policy: 'Delete' } }
  const snapshots: SnapshotSeen[] = []
  const journal = [
    { ...done('createSnapshot', 'snapshot'), state: 'Gone' } as const,
    done('cloneVolume', 'copy'),
  ]
  const saved = { ...CLEANING, journal }

  it('of the former volume comes when nothing stands for it any more', () => {
    expect(next({ saved, kube, cinder: { snapshots } })).toEqual({
      kind: 'act',
      act: { act: 'deleteVolume', id: 'source' },
    })
  })

  it.each<[string, Change]>([
    [
      'the copy is in an error status',
      { cinder: { snapshots, copies: [{ ...COPY, status: 'error' }] } },
    ],
    ['Cinder does not know the copy', { cinder: { snapshots, copies: [] } }],
    [
      'it has snapshots of others',
      { cinder: { snapshots: [{ ...SNAPSHOT, metadata: {}, name: 'own' }] } },
    ],
    [
      'another PersistentVolume stands for it',
      { kube: { ...kube, otherHandles: ['source'] }, cinder: { snapshots } },
    ],
    ['it is attached', { cinder: { snapshots, source: { ...SOURCE, attached: true } } }],
    ['it is busy', { cinder: { snapshots, source: { ...SOURCE, status: 'backing-up' } } }],
    ['the claim is Lost', { kube: { ...kube, claim: { phase: 'Lost' } }, cinder: { snapshots } }],
  ])('does not come while %s', (_, change) => {
    expect(next({ saved, kube, ...change })).toEqual(expect.objectContaining({ kind: 'wait' }))
  })

  it.each([
    [1, 60_000],
    [3, 240_000],
    [50, HOUR],
  ])(
    'that Cinder accepted and did not carry out (%i times) is tried again after %i ms',
    (attempts, ms) => {
      const act = { act: 'deleteSnapshot', id: 'snapshot' } as const
      const entry = { ...done('deleteSnapshot', 'snapshot'), of: 'snapshot', attempts }
      const tried: Partial<Saved> = {
        ...CLEANING,
        journal: [...SAVED.journal, entry],
        intent: act,
        answer: { kind: 'Accepted' },
      }
      const after = (passed: number) =>
        next({ saved: tried, kube, input: { confirming: { what: 'unused', ms: passed } } })

      expect(after(ms - 1)).toEqual(expect.objectContaining(waiting('put it back')))
      expect(after(ms)).toEqual({ kind: 'act', act })
    },
  )

  it('waits once until no call can be on its way of which nothing is known, not before each act', () => {
    const act = { act: 'deleteSnapshot', id: 'snapshot' } as const
    const lost = intended({ ...SAVED, ...saved }, act, { requestId: 'r', at: '' })
    const cinder = { snapshots }
    const early = { quietUntil: 1 }
    expect(next({ saved: lost, kube, cinder, input: early })).toEqual(
      expect.objectContaining(waiting('the answer to a call is unknown')),
    )

    const settled = next({ saved: lost, kube, cinder })
    if (settled.kind !== 'save') throw new Error(settled.kind)
    // what that call may have done is still known
    expect(settled.saved.journal).toEqual(lost.journal)
    expect(next({ saved: settled.saved, kube, cinder, input: early })).toEqual({
      kind: 'act',
      act: { act: 'deleteVolume', id: 'source' },
    })
  })

  it('of what does not have our metadata any more does not come', () => {
    const keeping = {
      phase: 'CleaningUp',
      keeps: 'original',
      reason: 'Cancelled',
      restored: 'p',
    } as const
    const stripped = [{ ...COPY, metadata: {} }]

    expect(
      next({
        saved: keeping,
        kube: { pv: { ...ORIGINAL, policy: 'Delete' } },
        cinder: { copies: stripped },
      }),
    ).toEqual(expect.objectContaining(waiting('metadata')))
  })

  it('of the copy does not come while Cinder does not know the former volume', () => {
    const keeping = {
      phase: 'CleaningUp',
      keeps: 'original',
      reason: 'Cancelled',
      restored: 'p',
    } as const
    const pv = { ...ORIGINAL, policy: 'Delete' }

    expect(next({ saved: keeping, kube: { pv }, cinder: { source: undefined } })).toEqual(
      expect.objectContaining(waiting('nothing is deleted')),
    )
  })
})

describe('the soak', () => {
  const soak = { since: 0, mountedMs: 0 }
  const saved = { phase: 'Soaking', keeps: 'copy', soak, restored: 'p' } as const
  const pv = { ...OF_COPY, policy: 'Delete' }
  const mounted = {
    pv,
    attachments: [{ name: 'csi', uid: 'a', attacher: CINDER, attached: true }],
  }

  it('goes on when a person wants a former volume back that is smaller than the claim is now', () => {
    const claim = { phase: 'Bound', sizeGiB: 2 }
    const long = { ...saved, soak: { since: 0, mountedMs: 30 * HOUR, mountedSince: 30 * HOUR } }
    const input = { wish: 'rollback', now: 30 * HOUR } as const
    const kube = { ...mounted, claim }
    expect(next({ saved: long, kube, input })).toEqual(
      expect.objectContaining(waiting('it was grown to 2 GiB, and its former volume source has 1')),
    )
    expect(next({ saved: long, kube, input: { ...input, now: 336 * HOUR } })).toEqual(
      saving({ phase: 'CleaningUp' }),
    )
    expect(
      next({ saved: long, kube: { ...kube, claim: { ...claim, sizeGiB: 1 } }, input }),
    ).toEqual(saving({ phase: 'GivingBack', reason: 'RolledBack' }))
  })

  it('loses no more than an hour of it when the leader changes', () => {
    const since = { ...saved, soak: { ...soak, mountedMs: HOUR, mountedSince: HOUR } }
    expect(next({ saved: since, kube: mounted, input: { now: 2 * HOUR } })).toEqual(
      saving({ soak: { since: 0, mountedMs: 2 * HOUR, mountedSince: 2 * HOUR } }),
    )
    expect(next({ saved: since, kube: mounted, input: { now: 2 * HOUR - 1 } })).toEqual(
      expect.objectContaining({ kind: 'wait' }),
    )
  })

  it('counts the time for which the copy is mounted', () => {
    const now = 5 * HOUR
    expect(next({ saved, kube: mounted, input: { now } })).toEqual(
      saving({ soak: { since: 0, mountedMs: 0, mountedSince: now } }),
    )
    const since = { ...saved, soak: { ...soak, mountedSince: HOUR } }
    expect(next({ saved: since, kube: { pv }, input: { now } })).toEqual(
      saving({ soak: { since: 0, mountedMs: 4 * HOUR } }),
    )
  })

  it.each([
    ['it was mounted for a day', { since: 0, mountedMs: 20 * HOUR, mountedSince: 0 }, 4 * HOUR],
    ['two weeks are over', soak, 336 * HOUR],
  ])('ends when %s', (_, of, now) => {
    const change = { saved: { ...saved, soak: of }, kube: mounted }

    expect(next({ ...change, input: { now } })).toEqual(saving({ phase: 'CleaningUp' }))
    expect(next({ ...change, input: { now: now - 1 } })).not.toEqual(
      saving({ phase: 'CleaningUp' }),
    )
  })

  it.each([
    [
      'to be mounted for a day',
      { ...soak, mountedMs: 23.5 * HOUR, mountedSince: 0 },
      HOUR / 2 - 1000,
      1000,
    ],
    ['to be two weeks old', soak, 336 * HOUR - 500, 500],
    ['for longer than two reads are apart', { ...soak, mountedSince: 0 }, HOUR / 2, 60_000],
  ])('waits no longer than it has %s', (_, of, now, ms) => {
    const kube = { ...mounted, ...(of === soak && { attachments: [] }) }
    expect(next({ saved: { ...saved, soak: of }, kube, input: { now } })).toMatchObject({
      kind: 'wait',
      ms,
    })
  })
})

describe('a move', () => {
  it('of another cluster, or copied into another object, is not followed', () => {
    for (const input of [{ clusterId: 'other' }, { objectUid: 'other' }])
      expect(next({ input })).toEqual(saving({ phase: 'Failed', reason: 'ForeignIntent' }))
  })

  it('is read before anything is decided, and rests at its end', () => {
    expect(next({ input: { sight: undefined } })).toEqual({ kind: 'look' })
    expect(next({ saved: { phase: 'Succeeded' } })).toEqual({ kind: 'rest' })
    expect(next({ saved: { phase: 'Failed' } })).toEqual({ kind: 'rest' })
  })
})

describe('the journal', () => {
  const call = { requestId: 'r', at: 'then', name: 'n' }
  const asked = intended({ ...SAVED, journal: [] }, { act: 'createSnapshot' }, call)

  it('names what may exist before it is asked for, and has its id afterwards', () => {
    expect(asked.journal).toEqual([{ act: 'createSnapshot', state: 'Asked', attempts: 1, ...call }])
    expect(entryOf(answered(asked, { kind: 'Accepted', id: 'i' }), 'createSnapshot')).toMatchObject(
      {
        state: 'Done',
        id: 'i',
      },
    )
  })

  it.each([
    [{ kind: 'Unknown', message: '' }, 'Asked'],
    [{ kind: 'Accepted' }, 'Asked'],
    [{ kind: 'NotSent', message: '' }, 'None'],
    [{ kind: 'Rejected', httpStatus: 400, message: '' }, 'None'],
  ] as const)('after the answer %j says %s', (answer, state) => {
    expect(answered(asked, answer).journal[0]?.state).toBe(state)
  })

  it('does not take the refusal of a second call for the end of a first one without an answer', () => {
    const again = intended(
      answered(asked, { kind: 'Unknown', message: '' }),
      { act: 'createSnapshot' },
      call,
    )

    expect(
      answered(again, { kind: 'Rejected', httpStatus: 409, message: '' }).journal[0],
    ).toMatchObject({
      state: 'Asked',
      attempts: 2,
    })
    expect(again.unclear).toBe(true)
  })
})
