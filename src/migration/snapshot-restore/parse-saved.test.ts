import { describe, expect, it } from 'vitest'
import { parseSaved } from './parse-saved.ts'
import { answered, intended } from './saved.ts'
import type { ReplaceAct, ReplaceAnswer, Saved } from './saved.ts'
import { FULL } from './world.fixture.ts'

const { claim } = FULL
const SAVED: Saved = {
  phase: 'Holding',
  origin: {
    ...FULL,
    manifest: {
      metadata: {
        name: 'pvc-1',
        annotations: { a: 'b' },
        finalizers: ['kubernetes.io/pv-protection'],
      },
      spec: {
        persistentVolumeReclaimPolicy: 'Delete',
        claimRef: { ...claim, kind: 'PersistentVolumeClaim' },
        csi: { driver: 'cinder.csi.openstack.org', volumeHandle: 'source', fsType: 'ext4' },
        mountOptions: ['noatime'],
      },
    },
  },
  journal: [],
  deadline: 1000,
}
const CALL = { requestId: 'req-1', at: '2026-01-01T00:00:00.000Z' }

const back = (saved: unknown): unknown => JSON.parse(JSON.stringify(saved))

const ACTS: readonly ReplaceAct[] = [
  { act: 'createSnapshot' },
  { act: 'cloneVolume' },
  { act: 'retype', id: 'copy', updatedAt: '2026-01-01T00:00:00.000Z' },
  { act: 'createBackup' },
  { act: 'restoreBackup' },
  { act: 'markVolume', id: 'restored' },
  { act: 'deleteBackup', id: 'backup' },
  { act: 'deleteSnapshot', id: 'snapshot' },
  { act: 'deleteVolume', id: 'copy' },
  { act: 'setReclaimPolicy', uid: 'u', policy: 'Retain' },
  { act: 'deletePersistentVolume', uid: 'u' },
  { act: 'releasePersistentVolume', uid: 'u', resourceVersion: '7', finalizers: ['a/b'], keep: [] },
  { act: 'createPersistentVolume', shape: 'held' },
  { act: 'deleteVolumeAttachment', name: 'csi-1', uid: 'u' },
]
const ANSWERS: readonly ReplaceAnswer[] = [
  { kind: 'Accepted', id: 'made' },
  { kind: 'Rejected', httpStatus: 413, message: 'quota', quota: true, retryAfterMs: 10 },
  { kind: 'NotSent', message: 'full', unaudited: true },
  { kind: 'Unknown', message: '', retryAfterMs: 10 },
]

describe('what is saved of a replacement', () => {
  it('comes back as it was written, with all that its manifest has', () => {
    expect(parseSaved(back(SAVED))).toEqual({ ok: true, saved: SAVED })
  })

  it.each(ACTS)('comes back with the intent of $act, before and after its answer', (act) => {
    const before = intended(SAVED, act, CALL)
    expect(parseSaved(back(before))).toEqual({ ok: true, saved: before })
    for (const answer of ANSWERS) {
      const after = answered(before, answer)
      expect(parseSaved(back(after))).toEqual({ ok: true, saved: after })
    }
  })

  it('comes back with its way, and without one as older versions have written it', () => {
    const byBackup: Saved = { ...SAVED, origin: { ...SAVED.origin, via: 'backup' } }
    expect(parseSaved(back(byBackup))).toEqual({ ok: true, saved: byBackup })
    expect(parseSaved(back(SAVED))).toMatchObject({
      saved: {
        origin: expect.not.objectContaining({ via: expect.anything() as unknown }) as unknown,
      },
    })
  })

  it('comes back with everything that is set later', () => {
    const later: Saved = {
      ...SAVED,
      phase: 'Soaking',
      unclear: true,
      sourceUpdatedAt: '2026-01-01T00:00:00.000Z',
      keeps: 'copy',
      soak: { since: 1, mountedMs: 2, mountedSince: 3 },
      reason: 'RolledBack',
      message: 'm',
    }
    expect(parseSaved(back(later))).toEqual({ ok: true, saved: later })
  })

  const entry = { act: 'cloneVolume', state: 'Done', attempts: 1, ...CALL }
  const { spec } = SAVED.origin.manifest
  const ofManifest = (change: object) => ({
    ...SAVED,
    origin: {
      ...SAVED.origin,
      manifest: { ...SAVED.origin.manifest, spec: { ...spec, ...change } },
    },
  })
  it.each<[string, unknown, string]>([
    ['is no object', 'x', 'the document is "x": write a mapping'],
    [
      'has a phase of a newer version',
      { ...SAVED, phase: 'Parked' },
      'phase is "Parked": write one of',
    ],
    ['has a field of a newer version', { ...SAVED, next: 1 }, 'next is unknown: run the version'],
    [
      'has no project',
      { ...SAVED, origin: { ...SAVED.origin, projectId: undefined } },
      'origin.projectId is missing',
    ],
    [
      'goes by a way of a newer version',
      { ...SAVED, origin: { ...SAVED.origin, via: 'stream' } },
      'origin.via is "stream"',
    ],
    [
      'names a volume by a path',
      { ...SAVED, origin: { ...SAVED.origin, volume: { ...FULL.volume, id: '../x' } } },
      'origin.volume.id is "../x": write an id',
    ],
    [
      'has an unknown act',
      { ...SAVED, intent: { act: 'offerTransfer' } },
      'intent.act is "offerTransfer"',
    ],
    [
      'has an act without what it is done to',
      { ...SAVED, intent: { act: 'deleteVolume' } },
      'intent.id is missing',
    ],
    [
      'has an act that would do more',
      { ...SAVED, intent: { act: 'deleteVolume', id: 'copy', cascade: true } },
      'intent.cascade is unknown',
    ],
    [
      'has an entry of a newer version',
      { ...SAVED, journal: [{ ...entry, twice: 1 }] },
      'journal.0.twice',
    ],
    [
      'has made something without its id',
      { ...SAVED, journal: [entry] },
      'journal[0].id is missing',
    ],
    [
      'has two entries of one act',
      {
        ...SAVED,
        journal: [
          { ...entry, id: 'a' },
          { ...entry, id: 'b' },
        ],
      },
      'journal[1] is a second entry of "cloneVolume"',
    ],
    [
      'has an intent that is in no journal',
      { ...SAVED, intent: { act: 'createSnapshot' } },
      'intent.act is "createSnapshot", which is not in journal',
    ],
    [
      'has an answer to nothing',
      { ...SAVED, answer: ANSWERS[0] },
      'answer is there without intent',
    ],
    [
      'has the manifest of another claim',
      ofManifest({ claimRef: { ...claim, uid: 'other' } }),
      'origin.manifest.spec.claimRef.uid is "other"',
    ],
    [
      'has the manifest of another volume',
      ofManifest({ csi: { driver: 'cinder.csi.openstack.org', volumeHandle: 'other' } }),
      'origin.manifest.spec.csi is "other"',
    ],
    [
      'has no manifest to put back',
      ofManifest({ csi: undefined }),
      'origin.manifest.spec.csi is missing',
    ],
  ])('is refused when it %s', (_, value, expected) => {
    expect(parseSaved(back(value))).toEqual({
      ok: false,
      problems: [expect.stringContaining(expected)],
    })
  })
})
