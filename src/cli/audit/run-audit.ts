import { dump } from 'js-yaml'
import { AuditReader } from '../../audit/read.ts'
import type { AuditedCall } from '../../audit/read.ts'
import { messageOf, UserError } from '../../errors.ts'
import { claimName } from '../explain/run-explain.ts'
import { oneOf, OUTPUT_FLAG } from '../flags.ts'
import type { CommandLine, FlagSpec } from '../flags.ts'
import { table } from '../table.ts'
import type { Column } from '../table.ts'
import type { Terminal } from '../terminal.ts'

export const AUDIT_WORDS = {
  least: 1,
  most: 1,
  usage: 'pvc/NAME',
  check: ([word = '']: readonly string[]) => void claimName(word),
} as const

export const AUDIT_FLAGS = {
  namespace: {
    value: 'NAME',
    short: 'n',
    help: 'namespace of the claim',
    default: 'default',
  },
  file: {
    value: 'PATH',
    short: 'f',
    help: 'file with the lines, also among those of a log; - is standard input',
    default: '-',
  },
  output: OUTPUT_FLAG,
} as const satisfies Record<string, FlagSpec>

/** Reads lines of the audit and shows those about one claim. Resolves to the exit code: 1 when there are none. */
export async function runAudit(
  { flags, words }: CommandLine,
  terminal: Terminal,
  /** Lines of a file; `-` is standard input. */
  linesOf: (path: string) => AsyncIterable<string>,
): Promise<number> {
  const output = oneOf(flags, 'output', ['json', 'yaml'])
  const namespace = flags['namespace'] ?? 'default'
  const name = claimName(words[0] ?? '')
  const path = flags['file'] ?? '-'
  const reader = new AuditReader(
    ({ claim }) => claim?.name === name && claim.namespace === namespace,
  )
  await readAll(path, linesOf, reader)
  const { calls } = reader
  if (output === 'json') terminal.out(`${JSON.stringify(calls, null, 2)}\n`)
  else if (output === 'yaml') terminal.out(dump(calls, { lineWidth: 120, noRefs: true }))
  else terminal.out(table(COLUMNS, calls))
  if (calls.length > 0) return 0
  terminal.note(`no line is about claim ${namespace}/${name}; ${whatWasRead(reader.others)}\n`)
  return 1
}

function whatWasRead(others: number): string {
  if (others === 0)
    return 'no line of an audit was read at all: give the log of the controller, or the file of audit.path'
  return `${others} ${others === 1 ? 'line' : 'lines'} about others were read. Check the name, and the namespace (-n)`
}

async function readAll(
  path: string,
  linesOf: (path: string) => AsyncIterable<string>,
  reader: AuditReader,
): Promise<void> {
  try {
    for await (const line of linesOf(path)) reader.add(line)
  } catch (e) {
    if (e instanceof UserError) throw e
    const what = path === '-' ? 'standard input' : path
    throw new UserError('AuditUnreadable', `--file: ${what} cannot be read (${messageOf(e)})`, {
      cause: e,
    })
  }
}

const COLUMNS: readonly Column<AuditedCall>[] = [
  { title: 'TIME', of: (c) => c.at },
  { title: 'ACTION', of: (c) => c.action },
  { title: 'FROM', of: (c) => placeOf(c.from) },
  { title: 'TO', of: (c) => placeOf(c.to) },
  { title: 'BY', of: (c) => c.initiator.name },
  { title: 'POLICY', of: policyOf },
  { title: 'REQUEST', of: (c) => c.cinderRequestId ?? c.requestId ?? '' },
  { title: 'OUTCOME', of: outcomeOf },
  { title: 'IN THE END', of: endOf },
]

/** `TIER`, or what our annotations say; a type without a tier by its id. */
function placeOf(place: AuditedCall['from']): string {
  return place?.tier ?? place?.annotations?.['couchestor.io/tier'] ?? place?.typeId ?? ''
}

function policyOf({ initiator: { policy } }: AuditedCall): string {
  if (policy === undefined) return ''
  return policy.generation === undefined ? policy.name : `${policy.name} @${policy.generation}`
}

function outcomeOf({ outcome, reason, durationMs }: AuditedCall): string {
  if (outcome === undefined) return 'outcome not recorded'
  const code = reason === undefined ? outcome : `${outcome} ${reason}`
  return durationMs === undefined ? code : `${code}, ${durationMs} ms`
}

/** Of a move only: annotations and objects have no other end than their call. */
function endOf({ action, outcome, end }: AuditedCall): string {
  if (end !== undefined) return `${end.reason ?? end.outcome} ${end.at}`
  return action === 'update/retype' && outcome !== 'failure' ? 'not recorded' : ''
}
