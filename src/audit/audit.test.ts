import { beforeEach, describe, expect, it } from 'vitest'
import { createVirtualClock } from '../../test/virtual-clock.ts'
import { Audit, AuditUnavailableError } from './audit.ts'
import type { Change } from './change.ts'
import { callsIn } from '../../test/audit-lines.ts'

const RETYPE: Change = {
  id: 'req-1',
  action: 'update/retype',
  initiator: { kind: 'person', name: 'ada', policy: 'tiered' },
  target: { typeURI: 'storage/volume', id: 'v-1', name: 'default/data' },
  claim: { namespace: 'default', name: 'data', uid: 'c-1' },
  migration: { namespace: 'default', name: 'data-1', uid: 'm-1' },
  from: { tier: 'hot', typeId: 't-hot' },
  to: { tier: 'cold', typeId: 't-cold' },
  requestId: 'req-1',
}
const FULL = new Error('ENOSPC: no space left on device, write')

/** A file that can be full, or hang. */
class Disk {
  text = ''
  fails: Error | undefined
  hangs = false
  readonly #release: (() => void)[] = []

  write(lines: string): Promise<void> {
    if (this.fails !== undefined) return Promise.reject(this.fails)
    this.text += lines
    return this.hangs ? new Promise((resolve) => this.#release.push(resolve)) : Promise.resolve()
  }

  release(): void {
    this.hangs = false
    for (const resolve of this.#release.splice(0)) resolve()
  }

  get events() {
    const lines = this.text.split('\n').filter((line) => line !== '')
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  }

  get shown(): string[] {
    return this.events.map((e) => `${String(e['id'])} ${String(e['outcome'])}`)
  }
}

let disk: Disk
let clock: ReturnType<typeof createVirtualClock>
let audit: Audit

beforeEach(() => {
  disk = new Disk()
  clock = createVirtualClock(Date.UTC(2026, 0, 20))
  audit = new Audit({
    sink: disk,
    clock,
    processClock: clock,
    observer: { epoch: 7, generationOf: (policy) => (policy === 'tiered' ? 3 : undefined) },
  })
})

const change = (id: string): Change => ({ ...RETYPE, id })

/** What became of it, without waiting for what waits for the clock. */
async function settled<T>(work: Promise<T>): Promise<T | 'waiting'> {
  let end: T | 'waiting' = 'waiting'
  void work.then((value) => (end = value))
  await clock.settle()
  return end
}

it('a call has two lines with one id: one before it, and its outcome', async () => {
  const call = await audit.begin(RETYPE)
  expect(disk.shown).toEqual(['req-1 pending'])
  await clock.advance(250)
  await call.ended({
    outcome: 'success',
    reason: { type: 'HTTP', code: '202' },
    answeredId: 'req-cinder',
  })
  expect(disk.shown).toEqual(['req-1 pending', 'req-1 success'])
})

it('a line has the names of CADF', async () => {
  const call = await audit.begin(RETYPE)
  await clock.advance(250)
  await call.ended({
    outcome: 'success',
    reason: { type: 'HTTP', code: '202' },
    answeredId: 'req-cinder',
  })
  expect(disk.events[1]).toEqual({
    audit: true,
    typeURI: 'http://schemas.dmtf.org/cloud/audit/1.0/event',
    id: 'req-1',
    eventType: 'activity',
    eventTime: '2026-01-20T00:00:00.250Z',
    action: 'update/retype',
    outcome: 'success',
    initiator: {
      typeURI: 'data/security/account/user',
      id: 'ada',
      name: 'ada',
      policy: { name: 'tiered', generation: 3 },
    },
    target: {
      typeURI: 'storage/volume',
      id: 'v-1',
      name: 'default/data',
      claim: { namespace: 'default', name: 'data', uid: 'c-1' },
      migration: { namespace: 'default', name: 'data-1', uid: 'm-1' },
    },
    observer: {
      typeURI: 'service/storage',
      id: 'couchestor-controller',
      name: 'couchestor-controller',
      epoch: 7,
    },
    reason: { reasonType: 'HTTP', reasonCode: '202' },
    attachments: [
      {
        name: 'change',
        contentType: 'application/json',
        content: {
          from: { tier: 'hot', typeId: 't-hot' },
          to: { tier: 'cold', typeId: 't-cold' },
          requestId: 'req-1',
          cinderRequestId: 'req-cinder',
          durationMs: 250,
        },
      },
    ],
  })
})

it('nothing but the declared fields gets into a line', async () => {
  const secret = 's3cr3t'
  const leaky = (o: object): object => ({
    ...Object.fromEntries(
      Object.entries(o).map(([k, v]) => [k, typeof v === 'object' ? leaky(v as object) : v]),
    ),
    password: secret,
    headers: { 'x-auth-token': secret },
    message: secret,
  })
  const call = await audit.begin(leaky(RETYPE) as Change)
  await call.ended(leaky({ outcome: 'failure', reason: { type: 'HTTP', code: '403' } }) as never)
  expect(disk.shown).toHaveLength(2)
  expect(disk.text).not.toContain(secret)
})

it('a value that is longer than any name or id is cut', async () => {
  await audit.begin(change('x'.repeat(100_000)))
  expect(disk.text.length).toBeLessThan(2_000)
})

describe('while the file cannot be written', () => {
  beforeEach(() => (disk.fails = FULL))

  it('no call may be made', async () => {
    await expect(audit.begin(RETYPE)).rejects.toThrow(AuditUnavailableError)
    expect(audit.problem).toContain('ENOSPC')
  })

  it('one that gives back what somebody is without is made, and both of its lines come later', async () => {
    const call = await audit.beginNow(RETYPE)
    await call.ended({ outcome: 'success' })
    expect(disk.text).toBe('')
    disk.fails = undefined
    await clock.advance(10_000)
    const lines = disk.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { outcome: string })
    expect(lines.map((line) => line.outcome).slice(0, 2)).toEqual(['pending', 'success'])
  })

  it('they are tried again after ten seconds, and no sooner', async () => {
    await audit.begin(RETYPE).catch(() => {})
    disk.fails = undefined
    await clock.advance(9_000)
    expect(await audit.unavailable()).toContain('ENOSPC')
    await clock.advance(1_000)
    expect(await audit.unavailable()).toBeUndefined()
  })

  it('who has to know is called once when it begins and once when it ends', async () => {
    const reported: (string | undefined)[] = []
    audit.subscribe((problem) => void reported.push(problem))
    await audit.begin(RETYPE).catch(() => {})
    await clock.advance(35_000)
    disk.fails = undefined
    await clock.advance(10_000)
    expect(reported).toEqual([expect.stringContaining('ENOSPC'), undefined])
  })

  it('a line says later since when there was none, and that the call was not made', async () => {
    await audit.begin(RETYPE).catch(() => {})
    disk.fails = undefined
    await clock.advance(10_000)
    expect(disk.shown).toEqual(['req-1 failure', 'resumed-1768867210000 success'])
    expect(disk.text).toContain('"since":"2026-01-20T00:00:00.000Z"')
  })

  it('a tried call has no effect on the next ones once lines can be written again', async () => {
    await audit.begin(RETYPE).catch(() => {})
    disk.fails = undefined
    await clock.advance(10_000)
    await audit.begin(change('req-2'))
    expect(disk.shown.at(-1)).toBe('req-2 pending')
  })
})

it('the outcome of a call that was made before is kept, and written before anything else', async () => {
  const call = await audit.begin(RETYPE)
  disk.fails = FULL
  expect(await settled(call.ended({ outcome: 'success' }))).toBeUndefined()
  expect(disk.shown).toEqual(['req-1 pending'])
  disk.fails = undefined
  await clock.advance(10_000)
  await audit.begin(change('req-2'))
  expect(disk.shown).toEqual([
    'req-1 pending',
    'req-1 success',
    'resumed-1768867210000 success',
    'req-2 pending',
  ])
})

it('what is kept is written at the end of the process, if the disk has room again', async () => {
  const call = await audit.begin(RETYPE)
  disk.fails = FULL
  await call.ended({ outcome: 'success' })
  disk.fails = undefined
  await audit.close()
  expect(disk.shown).toContain('req-1 success')
})

it('a write that hangs keeps the call from being made, and nobody waits longer than five seconds', async () => {
  disk.hangs = true
  const refused = audit.begin(RETYPE).catch((e: Error) => e.message)
  expect(await settled(refused)).toBe('waiting')
  await clock.advance(5_000)
  expect(await settled(refused)).toContain('has not ended within 5 s')
  await clock.advance(10_000)
  expect(audit.problem).toContain('an earlier write has not ended yet')
  disk.release()
  await clock.advance(10_000)
  expect(audit.problem).toBeUndefined()
})

it('no call begins before its line is known to be on disk', async () => {
  disk.hangs = true
  const begun = audit.begin(RETYPE)
  expect(await settled(begun)).toBe('waiting')
  disk.release()
  expect(await settled(begun)).not.toBe('waiting')
})

it('lines are in the order in which the calls were begun, and share a write', async () => {
  let writes = 0
  const write = disk.write.bind(disk)
  disk.write = (lines) => {
    writes++
    return write(lines)
  }
  await Promise.all(['a', 'b', 'c', 'd'].map((id) => audit.begin(change(id))))
  expect(disk.shown).toEqual(['a pending', 'b pending', 'c pending', 'd pending'])
  expect(writes).toBe(2)
})

describe('reading it back', () => {
  const begun = async () => (await audit.begin(RETYPE)).ended({ outcome: 'success' })

  it('finds each call with its outcome and its end', async () => {
    await begun()
    await audit.end(RETYPE, {
      outcome: 'failure',
      reason: { type: 'couchestor.io', code: 'Reverted' },
    })
    expect(callsIn(disk.text)).toMatchObject([
      {
        id: 'req-1',
        at: '2026-01-20T00:00:00.000Z',
        action: 'update/retype',
        from: { tier: 'hot' },
        to: { tier: 'cold' },
        outcome: 'success',
        end: { outcome: 'failure', reason: 'Reverted' },
      },
    ])
  })

  it('a call whose process died before its outcome has none', async () => {
    await audit.begin(RETYPE)
    expect(callsIn(disk.text)).toMatchObject([{ id: 'req-1', outcome: undefined }])
  })

  it('lines of a log, prefixes, torn and repeated lines do no harm', async () => {
    await begun()
    const [first = '', second = ''] = disk.text.split('\n')
    const mixed = [
      '{"level":"info","msg":"leading"}',
      `[pod/couchestor-controller-0/controller] ${first}`,
      first.slice(0, 80),
      'not JSON at all {"audit":true,',
      second,
      second,
      '{"audit":true,"id":"other"}',
    ].join('\r\n')
    expect(callsIn(mixed)).toMatchObject([{ id: 'req-1', outcome: 'success' }])
  })
})

describe('a write that fails while the next one waits and succeeds', () => {
  beforeEach(async () => {
    let writes = 0
    const write = (lines: string) => (++writes === 1 ? Promise.reject(FULL) : disk.write(lines))
    const observer = { epoch: 7, generationOf: () => undefined }
    audit = new Audit({ sink: { write }, clock, processClock: clock, observer })
    await Promise.allSettled([audit.begin(change('req-1')), audit.begin(change('req-2'))])
  })

  it('is not tried again later, as if nothing could be written until then', async () => {
    await clock.advance(60_000)
    expect(disk.shown).toEqual(['req-2 pending'])
  })

  it('leaves its outcome when the process ends', async () => {
    await audit.close()
    expect(disk.shown.slice(0, 2)).toEqual(['req-2 pending', 'req-1 failure'])
  })
})
