import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { refuse } from '../controller/moving/admission.ts'
import type { AdmissionInput, Limits } from '../controller/moving/admission.ts'
import { preflight } from '../migration/retype/preflight.ts'
import type { PreflightFacts } from '../migration/retype/preflight.ts'
import { candidate, NOW } from '../policy/candidate.fixture.ts'
import type { Candidate } from '../policy/candidate.ts'
import { judge } from '../policy/judge.ts'
import type { Block } from './blocker.ts'

const base = candidate()
const volume = (over: object) => ({ volume: { ...base.volume!, ...over } })
const claim = (over: object) => ({ claim: { ...base.claim, ...over } })
const policy = (over: object) => ({ policy: { ...base.policy, ...over } })

const FREE: PreflightFacts = {
  terminating: false,
  resizing: 'no',
  podPending: false,
  nodeDraining: false,
  credentialProject: 'p1',
  status: 'available',
  sizeGiB: 10,
  typeId: 'id-warm',
  typeName: 'couchestor-warm',
  availabilityZone: 'nova',
  multiattach: false,
  encrypted: false,
  snapshots: { count: 0 },
  attached: false,
  attachedSafety: () => base.attachedSafety(2),
  current: { id: 'id-warm', name: 'couchestor-warm', extraSpecs: {} },
  target: { id: 'id-cold', name: 'couchestor-cold', extraSpecs: {} },
  zonesAvailable: ['nova'],
  quotas: [],
}

const OPEN: Limits = {
  stopped: false,
  policyPaused: false,
  schedule: undefined,
  maxConcurrent: 10,
  policyMaxConcurrent: 10,
  perNamespace: new Map(),
  perPool: new Map(),
  maxGiBPerSlot: undefined,
  batch: undefined,
  pool: undefined,
  targetRoomGiB: undefined,
  volumes: 1,
  countedAt: NOW * 1000,
  staleMinutes: undefined,
  budget: undefined,
}
const input = (limits: Partial<Limits>): AdmissionInput => ({
  move: {
    policy: 'tiered',
    namespace: 'shop',
    from: 'warm',
    to: 'cold',
    sizeGiB: 10,
    reason: 'Policy',
  },
  inFlight: [],
  ended: [],
  limits: { ...OPEN, ...limits },
  now: NOW * 1000,
})

function planned(over: Partial<Candidate>): Block | undefined {
  const verdict = judge(candidate(over))
  return verdict.kind === 'move' ? undefined : blockOf(verdict)
}

function blockOf(found: { reason: string; message: string } | undefined) {
  return found && ({ reason: found.reason, message: found.message } as Block)
}

describe('the same fact gives the same block', () => {
  it.each<[string, Partial<Candidate>, Partial<PreflightFacts>]>([
    ['being deleted', claim({ terminating: true }), { terminating: true }],
    ['busy', volume({ status: 'backing-up' }), { status: 'backing-up' }],
    ['retyped by somebody else', volume({ status: 'retyping' }), { status: 'retyping' }],
    ['being resized', claim({ resizing: 'yes' }), { resizing: 'yes' }],
    ['of unknown size', claim({ resizing: 'unknown' }), { resizing: 'unknown' }],
    ['snapshots', volume({ snapshots: { count: 2 } }), { snapshots: { count: 2 } }],
    ['group', volume({ groupId: 'g1' }), { groupId: 'g1' }],
    ['multiattach', volume({ multiattach: true }), { multiattach: true }],
    ['encrypted', volume({ encrypted: true }), { encrypted: true }],
    ['attached', volume({ attached: true }), { attached: true }],
    ['without a known type', { tier: -1, ...volume({ typeId: '' }) }, { typeId: '' }],
  ])('when it is planned and right before the call: %s', (_, seen, fresh) => {
    const block = planned(seen)

    expect(block).toBeDefined()
    expect(preflight({ ...FREE, ...fresh })).toEqual([block])
  })

  it.each<[string, Partial<Candidate>, Partial<Limits>]>([
    ['stopped', policy({ stopped: true }), { stopped: true }],
    ['paused', policy({ paused: true }), { policyPaused: true }],
    [
      'outside its schedule',
      { schedule: { open: false, opensAt: NOW + 60 } },
      { schedule: { open: false, slotStartedAt: 0, opensAt: (NOW + 60) * 1000 } },
    ],
    [
      'outside a schedule that never opens again',
      { schedule: { open: false } },
      { schedule: { open: false, slotStartedAt: 0 } },
    ],
  ])('when it is planned and when it is admitted: %s', (_, seen, limits) => {
    const block = planned(seen)

    expect(block).toBeDefined()
    expect(blockOf(refuse(input(limits)))).toEqual(block)
  })

  it('and nothing stands against a move where no fact does', () => {
    expect(planned({})).toBeUndefined()
    expect(preflight(FREE)).toEqual([])
    expect(refuse(input({}))).toBeUndefined()
  })
})

describe('what is not known is never taken for a no', () => {
  it.each<[string, Partial<PreflightFacts>, string]>([
    ['attachments', { attached: { unknown: 'the watch is silent' } }, 'Attached'],
    ['pods', { podPending: { unknown: 'the watch is silent' } }, 'PodPending'],
    ['a resize', { resizing: 'unknown' }, 'Resizing'],
    ['the zone', { availabilityZone: '' }, 'ZoneUnavailable'],
    ['the type of the volume', { typeId: '' }, 'UnmanagedType'],
    ['the target type', { target: undefined }, 'TypeNotAccessible'],
    ['the type that it has now', { current: undefined }, 'TypeNotAccessible'],
    ['its own project', { projectId: 'p2' }, 'OtherProject'],
  ])('%s', (_, fresh, reason) => {
    const proven = { attachedSafety: () => ({ safe: true, message: 'proof' }) }

    expect(preflight({ ...FREE, ...proven, ...fresh })).toMatchObject([{ reason }])
  })
})

const sources = (room: string) =>
  readdirSync(room, { recursive: true, encoding: 'utf8' })
    .map((name) => join(room, name))
    .filter((path) => path.endsWith('.ts') && !/\.(test|fixture)\.ts$/.test(path))

const STATES = /(?:reason: |blockOf\(|stay\()\s*'(\w+)'/g

/** Other facts that go by the same reason. */
const OTHERS = new Set([
  'Attached in src/controller/stopping/stopper.ts',
  'PodPending in src/controller/stopping/stopper.ts',
  'Terminating in src/controller/moving/owners-doing.ts',
  'SizeLimit in src/migration/snapshot-restore/preflight.ts',
  'NoAdmissionPolicy in src/policy/guards-force.ts',
  'UnmanagedType in src/policy/guards-claim.ts',
])

it('is stated here, and nowhere a second time', () => {
  const stated = (path: string) =>
    [...readFileSync(path, 'utf8').matchAll(STATES)].map(([, reason]) => reason)
  const here = new Set(sources('src/blockers').flatMap(stated))
  const again = ['policy', 'migration', 'controller', 'insight', 'cli'].flatMap((room) =>
    sources(join('src', room)).flatMap((path) =>
      stated(path).flatMap((reason) => (here.has(reason) ? [`${reason} in ${path}`] : [])),
    ),
  )

  expect(here.size).toBeGreaterThan(15)
  expect(new Set(again)).toEqual(OTHERS)
})
