import { beforeEach, expect, it } from 'vitest'
import { AuditLines } from '../../../test/audit-lines.ts'
import { createVirtualClock } from '../../../test/virtual-clock.ts'
import { Audit } from '../../audit/audit.ts'
import type { Change } from '../../audit/change.ts'
import { readCommandLine } from '../flags.ts'
import { AUDIT_FLAGS, AUDIT_WORDS, runAudit } from './run-audit.ts'

const LOG = '{"level":"info","time":"2026-01-20T00:00:00.000Z","msg":"leading"}\n'

let lines: AuditLines
let shown: { out: string; note: string }
const terminal = {
  out: (text: string) => void (shown.out += text),
  note: (text: string) => void (shown.note += text),
  progress: () => {},
}

function retypeOf(id: string, name: string): Change {
  return {
    id,
    action: 'update/retype',
    initiator: { kind: 'person', name: 'ada', policy: 'tiered' },
    target: { typeURI: 'storage/volume', id: 'v-1', name: `shop/${name}` },
    claim: { namespace: 'shop', name },
    from: { tier: 'hot', typeId: 't-hot' },
    to: { typeId: 't-cold' },
    requestId: id,
  }
}

beforeEach(async () => {
  shown = { out: '', note: '' }
  lines = new AuditLines()
  const clock = createVirtualClock(Date.UTC(2026, 0, 20))
  const audit = new Audit({
    sink: lines,
    clock,
    processClock: clock,
    observer: { epoch: 1, generationOf: () => 3 },
  })
  const call = await audit.begin(retypeOf('req-1', 'data'))
  await clock.advance(412)
  const reason = { type: 'HTTP', code: '202' } as const
  await call.ended({ outcome: 'success', reason, answeredId: 'req-cinder' })
  lines.text += LOG
  await audit.begin(retypeOf('req-other', 'other'))
  await audit.begin(retypeOf('req-2', 'data'))
  await clock.advance(60_000)
  const verified = { type: 'couchestor.io', code: 'Verified' } as const
  await audit.end(retypeOf('req-1', 'data'), { outcome: 'success', reason: verified })
  lines.text += '{"audit":true,"typeURI":"http'
})

const audit = (...args: string[]) => {
  const line = readCommandLine('audit', args, AUDIT_FLAGS, AUDIT_WORDS)
  return runAudit(line, terminal, linesOf)
}

async function* linesOf(path: string): AsyncIterable<string> {
  await Promise.resolve()
  if (path !== '-') throw new Error('ENOENT')
  yield* lines.text.split('\n')
}

it('shows the calls about a claim, and what no line says', async () => {
  expect(await audit('pvc/data', '-n', 'shop')).toBe(0)
  expect(shown.out.split('\n')).toEqual([
    'TIME                      ACTION         FROM  TO      BY   POLICY     REQUEST     OUTCOME               IN THE END',
    '2026-01-20T00:00:00.000Z  update/retype  hot   t-cold  ada  tiered @3  req-cinder  success 202, 412 ms   Verified 2026-01-20T00:01:00.412Z',
    '2026-01-20T00:00:00.412Z  update/retype  hot   t-cold  ada  tiered @3  req-2       outcome not recorded  not recorded',
    '',
  ])
})

it('gives the same as JSON', async () => {
  expect(await audit('pvc/data', '-n', 'shop', '-o', 'json')).toBe(0)
  expect(JSON.parse(shown.out)).toMatchObject([
    { id: 'req-1', outcome: 'success', end: { reason: 'Verified' } },
    { id: 'req-2' },
  ])
})

it('says so when no line is about the claim', async () => {
  expect(await audit('pvc/data')).toBe(1)
  expect(shown).toEqual({
    out: '',
    note: 'no line is about claim default/data; 5 lines about others were read. Check the name, and the namespace (-n)\n',
  })
})

it('says what to give when what was read is no audit', async () => {
  lines.text = '{"level":"info","msg":"leading"}\n'
  expect(await audit('pvc/data')).toBe(1)
  expect(shown.note).toContain('no line of an audit was read at all: give the log')
})

it('a file that cannot be read is named', async () => {
  await expect(audit('pvc/data', '--file', 'missing.jsonl')).rejects.toThrow(
    '--file: missing.jsonl cannot be read (ENOENT)',
  )
})

it('a name that holds line feeds and escape sequences forges no row', async () => {
  const name = 'eve\n2026-01-21T00:00:00.000Z  update/retype  hot  cold  ada\u001b[1A'
  const clock = createVirtualClock(Date.UTC(2026, 0, 21))
  const observer = { epoch: 1, generationOf: () => 3 }
  const forged = new Audit({ sink: lines, clock, processClock: clock, observer })
  lines.text += '\n'
  await forged.begin({ ...retypeOf('req-3', 'data'), initiator: { kind: 'person', name } })
  expect(await audit('pvc/data', '-n', 'shop')).toBe(0)
  expect(shown.out.split('\n')).toHaveLength(5)
  expect(shown.out).not.toContain('\u001b')
})
