import { beforeEach, describe, expect, it } from 'vitest'
import { CANCEL_FLAGS, runCancel } from '../../src/cli/approve/run-decision.ts'
import { readCommandLine } from '../../src/cli/flags.ts'
import { checkClaim } from '../../src/cli/rollback/claim-word.ts'
import { ROLLBACK_FLAGS, runRollback } from '../../src/cli/rollback/run-rollback.ts'
import type { RollbackDeps } from '../../src/cli/rollback/run-rollback.ts'
import { createKubeClient } from '../../src/kube/client.ts'
import { createEventRecorder } from '../../src/kube/events.ts'
import { silentLog } from '../../src/log.ts'
import { inProcess } from '../../src/sim/server.ts'
import { WORLD_ORIGINS } from '../../src/sim/world.ts'
import type { World } from '../../src/sim/world.ts'
import { worldWith } from '../harness.ts'
import { pumped, recordingTerminal } from '../reader.ts'
import type { Recorded } from '../reader.ts'
import { createVirtualClock } from '../virtual-clock.ts'
import type { VirtualClock } from '../virtual-clock.ts'
import {
  claimObject,
  COPY,
  FORMER,
  moveObject,
  NAMESPACE,
  recordObject,
  savedOf,
  SOAKING,
} from './stand.ts'

const MOVES = `/apis/couchestor.io/v1alpha1/namespaces/${NAMESPACE}/volumemigrations`
const WORDS = { least: 1, most: 1, usage: 'NAMESPACE/CLAIM', check: checkClaim }

let clock: VirtualClock
let world: World
let terminal: Recorded
let forbidden: string | undefined
/** Every request that writes. */
let written: string[]
let beforePatch: () => void
let asked: string[]

beforeEach(() => {
  clock = createVirtualClock(Date.parse('2026-01-20T11:12:30Z'))
  forbidden = undefined
  world = worldWith({ clock, apiServer: { allow: ({ resource }) => resource !== forbidden } })
  terminal = recordingTerminal()
  written = []
  beforePatch = () => {}
  asked = []
  world.api.seed({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: NAMESPACE },
  })
})

function soaking(): void {
  world.api.seed(claimObject(), moveObject(SOAKING), recordObject(savedOf('here')))
}

function deps(answer?: string): RollbackDeps {
  const network = inProcess(world.routes, { clock })
  const kube = createKubeClient({
    http: {
      request: (req) => {
        if (req.method === 'PATCH') beforePatch()
        if (req.method !== 'GET') written.push(req.method)
        return network.request(req)
      },
      close: () => network.close(),
    },
    server: WORLD_ORIGINS.kube,
    authorization: () => Promise.resolve(undefined),
    clock,
    random: () => 0.5,
    log: silentLog,
  })
  return {
    kube,
    events: createEventRecorder({ client: kube, clock, log: silentLog }),
    clock,
    terminal,
    namespace: 'default',
    who: 'ana',
    why: 'it was faster',
    ask:
      answer === undefined
        ? undefined
        : (question) => {
            asked.push(question)
            return Promise.resolve(answer)
          },
  }
}

function rollback(args: readonly string[], answer?: string): Promise<number> {
  const line = readCommandLine('rollback', args, ROLLBACK_FLAGS, WORDS)
  return pumped(clock, runRollback(line, deps(answer)))
}

const stored = () => world.api.objects(MOVES)[0] as { metadata: object; spec: object } | undefined

describe('rollback of a claim whose move soaks', () => {
  it('says what comes back, what is lost, and until when, before it asks', async () => {
    soaking()
    expect(await rollback(['shop/data'], 'no')).toBe(1)
    const text = terminal.text()
    expect(text).toContain(`${FORMER} comes back (tier hot, volume type id-hot)`)
    expect(text).toContain('written to it since 2026-01-20T08:00:00Z')
    expect(text).toContain('LOST: everything written to the claim since then, 3h12m by now.')
    expect(text).toContain('No Pod uses the claim now.')
    expect(text).toContain('Possible until 2026-02-03T08:00:05Z')
    expect(text).toContain('nothing was changed')
    expect(asked).toEqual([expect.stringContaining('shop/data')])
    expect(written).toEqual([])
  })

  it.each([['yes'], ['y']])(
    'asks the controller for it after "%s", and keeps who it was',
    async (answer) => {
      soaking()
      expect(await rollback(['shop/data'], answer)).toBe(0)
      expect(stored()).toMatchObject({
        spec: { rollback: true },
        metadata: {
          annotations: {
            'couchestor.io/rolled-back-by': 'ana',
            'couchestor.io/rolled-back-reason': 'it was faster',
          },
        },
      })
      expect(terminal.text()).toContain('kubectl -n shop get vmig data-1 -w')
    },
  )

  it('asks nothing with --yes, and takes the claim as other commands do', async () => {
    soaking()
    expect(await rollback(['pvc/data', '-n', 'shop', '--yes'])).toBe(0)
    expect(stored()?.spec).toMatchObject({ rollback: true })
  })

  it('changes nothing where nobody can be asked', async () => {
    soaking()
    await expect(rollback(['shop/data'])).rejects.toThrow('add --yes')
    expect(written).toEqual([])
  })

  it('is refused, and nothing asked, once the claim was grown beyond its former volume', async () => {
    soaking()
    const claim = claimObject()
    world.api.seed({ ...claim, status: { ...claim.status, capacity: { storage: '20Gi' } } })
    await expect(rollback(['shop/data'], 'yes')).rejects.toThrow(
      `claim shop/data was grown to 20 GiB, and its former volume ${FORMER} has 10 GiB`,
    )
    expect(asked).toEqual([])
    expect(written).toEqual([])
  })

  it('names the Pods that it waits for', async () => {
    soaking()
    const pod = (name: string, phase: string) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: NAMESPACE },
      spec: { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] },
      status: { phase },
    })
    world.api.seed(pod('web-1', 'Running'), pod('web-0', 'Pending'), pod('job', 'Succeeded'))
    await rollback(['shop/data', '--yes'])
    expect(terminal.text()).toContain('stop web-0, web-1.')
  })

  it('is possible for the owner of a namespace, who may read no record and no Pods', async () => {
    soaking()
    forbidden = 'tieringcheckpoints'
    expect(await rollback(['shop/data'], 'no')).toBe(1)
    expect(terminal.text()).toContain('since the claim has the other one')
    forbidden = 'pods'
    expect(await rollback(['shop/data', '--yes'])).toBe(0)
    expect(terminal.text()).toContain('cannot be listed by this account')
  })

  it('is printed as an object for programs', async () => {
    soaking()
    expect(await rollback(['shop/data', '--yes', '-o', 'json'])).toBe(0)
    expect(JSON.parse(terminal.text())).toEqual({
      claim: { namespace: 'shop', name: 'data' },
      migration: 'data-1',
      volumeId: COPY,
      tier: 'cold',
      former: {
        volumeId: FORMER,
        typeId: 'id-hot',
        tier: 'hot',
        unwrittenSince: '2026-01-20T08:00:00.000Z',
      },
      possibleUntil: '2026-02-03T08:00:05.000Z',
      pods: [],
      requested: true,
    })
  })

  it('is written although the status was written meanwhile', async () => {
    soaking()
    beforePatch = () => {
      beforePatch = () => {}
      world.api.seed({ ...stored(), status: { ...SOAKING, message: 'still soaking' } })
    }
    expect(await rollback(['shop/data', '--yes'])).toBe(0)
    expect(stored()?.spec).toMatchObject({ rollback: true })
  })

  it('is not written when the soak has ended meanwhile', async () => {
    soaking()
    beforePatch = () => {
      world.api.seed({
        ...stored(),
        status: { ...SOAKING, step: 'CleaningUp', reason: 'CleaningUp' },
      })
    }
    await expect(rollback(['shop/data', '--yes'])).rejects.toThrow('is past its soak')
    expect(stored()?.spec).not.toHaveProperty('rollback')
  })

  it('says so when an older CRD has dropped the field', async () => {
    soaking()
    const real = deps()
    const older = {
      ...real.kube,
      patch: () => Promise.resolve(moveObject(SOAKING)),
    } as unknown as RollbackDeps['kube']
    const line = readCommandLine('rollback', ['shop/data', '--yes'], ROLLBACK_FLAGS, WORDS)
    await expect(pumped(clock, runRollback(line, { ...real, kube: older }))).rejects.toThrow(
      'has dropped spec.rollback',
    )
  })

  it('does nothing twice', async () => {
    world.api.seed(claimObject(), moveObject(SOAKING, { rollback: true }))
    expect(await rollback(['shop/data', '--yes'])).toBe(0)
    expect(terminal.notes()).toContain('already')
    expect(written).toEqual([])
  })

  it('does not move the cursor by the name of a snapshot that it waits for', async () => {
    const message = 'one is \u001b[2Jdaily'
    world.api.seed(claimObject(), moveObject({ ...SOAKING, message }, { rollback: true }))
    expect(await rollback(['shop/data', '--yes'])).toBe(0)
    expect(terminal.notes()).toContain('daily')
    expect(terminal.notes()).not.toContain('\u001b')
  })
})

describe('rollback is refused', () => {
  it.each([
    ['of a claim that is not there', [], 'there is no claim shop/data'],
    ['without a move', [claimObject()], 'no move has given claim shop/data another volume'],
    [
      'of a retype',
      [claimObject(), moveObject({ step: 'Retyping' }, { strategy: 'cinder-retype' })],
      'no move has given claim shop/data another volume',
    ],
    [
      'of another claim that had the name before',
      [claimObject('other-uid'), moveObject(SOAKING)],
      'no move has given claim shop/data another volume',
    ],
    [
      'before the move has begun',
      [claimObject(), moveObject({})],
      'has not begun: the claim has its volume; couchestor cancel data-1 -n shop',
    ],
    [
      'before the switch',
      [claimObject(), moveObject({ ...SOAKING, step: 'Copying' })],
      'is at step Copying',
    ],
    [
      'of a move that lost its record',
      [claimObject(), moveObject(SOAKING)],
      'which is gone, so nothing is done with its claim',
    ],
    [
      'of a move whose record cannot be read',
      [
        claimObject(),
        moveObject(SOAKING),
        recordObject({ ...savedOf('here'), journal: 'x' } as never),
      ],
      'cannot be read',
    ],
    [
      'of a move that is stuck',
      [claimObject(), moveObject({ ...SOAKING, step: 'Stuck', reason: 'RecordMissing' })],
      'docs/runbooks/replacement-stalled.md',
    ],
    [
      'when the record is further than the object shows',
      [claimObject(), moveObject(SOAKING), recordObject(savedOf('here', { phase: 'CleaningUp' }))],
      'is past its soak (CleaningUp)',
    ],
    [
      'after the soak',
      [claimObject(), moveObject({ ...SOAKING, step: 'CleaningUp', reason: 'CleaningUp' })],
      `the former volume ${FORMER} is deleted once nothing needs it`,
    ],
    [
      'after the end',
      [
        claimObject(),
        moveObject({
          ...SOAKING,
          step: 'Succeeded',
          reason: 'Verified',
          completedAt: '2026-01-20T10:00:00Z',
        }),
      ],
      `ended at 2026-01-20T10:00:00Z, and the former volume ${FORMER} is gone`,
    ],
    [
      'after a move that was given up',
      [claimObject(), moveObject({ ...SOAKING, step: 'Failed', reason: 'ClaimNeeded' })],
      `has ended (ClaimNeeded): claim shop/data is on its former volume ${FORMER}`,
    ],
  ] as const)('%s', async (_, objects, message) => {
    world.api.seed(...objects)
    await expect(rollback(['shop/data', '--yes'])).rejects.toThrow(message)
    expect(written).toEqual([])
  })

  it('where several moves of the claim soak', async () => {
    const other = moveObject(SOAKING, {}, 'data-2')
    world.api.seed(claimObject(), moveObject(SOAKING), {
      ...other,
      metadata: { ...other.metadata, uid: 'another' },
    })
    await expect(rollback(['shop/data', '--yes'])).rejects.toThrow('data-1, data-2')
    expect(written).toEqual([])
  })

  it.each([['a/b/c'], ['/data'], ['shop/'], ['pvc/']])('for "%s", which is no claim', (word) => {
    expect(() => readCommandLine('rollback', [word], ROLLBACK_FLAGS, WORDS)).toThrow(
      'is not a claim',
    )
  })

  it('for two namespaces', () => {
    expect(() =>
      readCommandLine('rollback', ['shop/data', '-n', 'web'], ROLLBACK_FLAGS, WORDS),
    ).toThrow('two namespaces')
  })
})

describe('cancel of a move that gives a claim another volume', () => {
  const cancel = () =>
    pumped(
      clock,
      runCancel(readCommandLine('cancel', ['data-1', '-n', 'shop'], CANCEL_FLAGS, WORDS), deps()),
    )

  it.each(['Holding', 'Copying', 'Switching'] as const)('is possible at step %s', async (step) => {
    world.api.seed(moveObject({ ...SOAKING, step }))
    expect(await cancel()).toBe(0)
    expect(stored()?.spec).toMatchObject({ cancel: true })
  })

  it('names rollback once the claim has the copy', async () => {
    soaking()
    await expect(cancel()).rejects.toThrow('couchestor rollback shop/data')
  })

  it.each(['GivingBack', 'CleaningUp', 'Abandoning'] as const)(
    'is too late at %s',
    async (step) => {
      world.api.seed(moveObject({ ...SOAKING, step }))
      await expect(cancel()).rejects.toThrow(`is at step ${step}`)
    },
  )
})
