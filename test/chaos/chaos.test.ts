import { expect, it } from 'vitest'
import type { AuditedCall } from '../../src/audit/read.ts'
import type { CinderRow } from '../lab/cinder-database.ts'
import type { LoggedPost } from '../lab/cinder-log.ts'
import { doubleActs } from './acts.ts'
import { failuresIn, FAULTS, reportOf, sumOf, Tally } from './figures.ts'
import type { Fault } from './figures.ts'
import { planOf, VICTIMS } from './plan.ts'

const SIZE = { claims: 6, waves: 2, troublesPerWave: 5 }

it('the same seed draws the same moves and the same trouble', () => {
  expect(planOf(7, SIZE)).toEqual(planOf(7, SIZE))
  expect(planOf(7, SIZE)).not.toEqual(planOf(8, SIZE))
})

it('each seed kills or suspends everything that a move needs, and the controller most often', () => {
  for (let seed = 1; seed <= 7; seed++) {
    const troubles = planOf(seed, SIZE).waves.flatMap((w) => w.troubles)
    const times = (victim: string) => troubles.filter((t) => t.victim === victim).length
    for (const victim of VICTIMS) expect(times(victim)).toBeGreaterThanOrEqual(1)
    expect(times('controller')).toBeGreaterThanOrEqual(3)
  }
})

it('each claim is moved in both ways', () => {
  const [first, second] = planOf(1, SIZE).waves
  for (const [i, { strategy }] of first!.moves.entries())
    expect(second!.moves[i]!.strategy).not.toBe(strategy)
})

it.each(['cinder-volume', 'cinder-api'])(
  'the short form never kills %s, which would take it minutes',
  (victim) => {
    for (let seed = 1; seed <= 50; seed++)
      for (const { troubles } of planOf(seed, { ...SIZE, sparesCinder: true }).waves)
        expect(troubles).not.toContainEqual(expect.objectContaining({ victim, how: 'killed' }))
  },
)

const call = (intent: string, move: string): AuditedCall => ({
  id: intent,
  requestId: intent,
  at: '',
  action: 'update/retype',
  initiator: { name: '' },
  target: { typeURI: '', id: '', name: '', migration: { name: move, uid: move } },
  from: undefined,
  to: undefined,
  outcome: undefined,
  reason: undefined,
  cinderRequestId: undefined,
  durationMs: undefined,
  end: undefined,
})
const post = (intent: string, retype?: 'accepted' | 'refused'): LoggedPost => ({
  requestId: '',
  intent,
  path: '/v3/p/volumes/v/action',
  at: 0,
  ...(retype === undefined ? {} : { retype }),
})
const copy = (id: string, move: string): CinderRow => ({
  kind: 'volumes',
  id,
  name: `couchestor-copy-c-${move}`,
  status: 'deleted',
  isDeleted: true,
})

it('an act that is repeated because it was refused is no double act', () => {
  const calls = [call('req-1', 'm'), call('req-2', 'm')]
  const posts = [post('req-1', 'refused'), post('req-2', 'accepted')]
  const of = { requestId: '', path: '/v3/p/volumes/v/action', at: 0 }
  expect(doubleActs({ calls, posts: [...posts, of], rows: [copy('a', 'm')] })).toEqual([])
})

it.each([
  ['an intent that arrives twice', [post('req-1'), post('req-1')], []],
  ['a second retype of a move', [post('req-1', 'accepted'), post('req-2', 'accepted')], []],
  ['a call that no line announced', [post('req-9')], []],
  ['a second copy, also where one is deleted already', [], [copy('a', 'm'), copy('b', 'm')]],
])('%s is a double act', (_name, posts, rows) => {
  const calls = [call('req-1', 'm'), call('req-2', 'm')]
  expect(doubleActs({ calls, posts, rows })).toHaveLength(1)
})

it.each(Object.keys(FAULTS) as Fault[])('%s is reported, and fails the run', (fault) => {
  const [bad, good] = [new Tally(1), new Tally(2)]
  bad.fault(fault, 'move-0-0')
  const sum = sumOf([good.figures(), bad.figures()])
  expect(failuresIn(good.figures())).toEqual([])
  expect(failuresIn(sum)).toEqual([`${fault}: seed 1: move-0-0`])
  expect(reportOf(sum)).toContain(`${FAULTS[fault]}: 1\n`)
})

it('the figures of several seeds are summed', () => {
  const tallies = [new Tally(1), new Tally(2)]
  for (const tally of tallies) {
    tally.ended('cinder-retype Succeeded Verified')
    tally.trouble('controller', 'killed')
    tally.digestsEqual++
  }
  expect(sumOf(tallies.map((t) => t.figures()))).toMatchObject({
    seeds: [1, 2],
    moves: 2,
    ends: { 'cinder-retype Succeeded Verified': 2 },
    kills: { controller: 2 },
    suspensions: {},
    digestsEqual: 2,
  })
})
