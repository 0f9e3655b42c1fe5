import { routeOf } from '../../api/volume-migration.ts'
import { UserError } from '../../errors.ts'
import { money } from '../../insight/money.ts'
import { booleanFlag, oneOf } from '../flags.ts'
import type { CommandLine, Flags, FlagSpec } from '../flags.ts'
import { awaiting, decideMigration } from './decide-migration.ts'
import type { DecisionDeps } from './decision.ts'
import { DIRECTIONS, pausable, setPaused } from './pause.ts'

const NAMESPACE = {
  value: 'NAME',
  short: 'n',
  help: 'namespace of the VolumeMigration; default: that of the context, else default',
}
const REASON = { value: 'TEXT', help: 'why; recorded with your user name' }

export const APPROVE_FLAGS = {
  namespace: {
    value: 'NAME',
    short: 'n',
    help: 'namespace of the VolumeMigration; default: that of the context, with --all every one',
  },
  policy: { value: 'NAME', help: 'with --all: the policy whose waiting moves are meant' },
  all: { help: 'all moves of the policy that wait for approval', default: 'false' },
  yes: { help: 'with --all: approve them; without it they are only listed', default: 'false' },
  reason: REASON,
} as const satisfies Record<string, FlagSpec>

export const CANCEL_FLAGS = { namespace: NAMESPACE, reason: REASON } as const

export const PAUSE_FLAGS = {
  namespace: {
    ...NAMESPACE,
    help: 'namespace of the claim; default: that of the context, else default',
  },
  direction: {
    value: 'promotion|demotion',
    choices: ['promotion', 'demotion'],
    help: 'a claim: only moves to faster, or to slower tiers',
  },
  reason: REASON,
} as const satisfies Record<string, FlagSpec>

export const RESUME_FLAGS = { namespace: PAUSE_FLAGS.namespace, reason: REASON } as const

/** Throws `UserError` unless one move is meant, or all of one policy. */
export function checkApprove(words: readonly string[], flags: Flags): void {
  const all = booleanFlag(flags, 'all')
  if (all !== (flags['policy'] !== undefined) || all === words.length > 0)
    throw new UserError('FlagsInvalid', 'approve needs a VolumeMigration, or --policy NAME --all')
}

/** `couchestor approve`. Resolves to the exit code. */
export async function runApprove(
  { flags, words }: CommandLine,
  deps: DecisionDeps,
): Promise<number> {
  const { policy, namespace } = flags
  if (!booleanFlag(flags, 'all')) {
    await decideMigration('approve', words[0] ?? '', namespace ?? deps.namespace, deps)
    return 0
  }
  const waiting = await awaiting(policy ?? '', namespace, deps)
  if (waiting.length === 0) {
    deps.terminal.out(`no move of policy ${policy} waits for approval\n`)
    return 0
  }
  if (booleanFlag(flags, 'yes')) {
    for (const { metadata } of waiting)
      await decideMigration('approve', metadata.name, metadata.namespace ?? '', deps)
    return 0
  }
  const lines = waiting.map(
    ({ metadata, spec, status }) =>
      `  ${metadata.namespace}/${metadata.name}: ${spec.claim.name}, ${routeOf(spec)}${status?.monthlySaving === undefined ? '' : `, saves ${money(Number(status.monthlySaving))} a month`}`,
  )
  deps.terminal.out(`${lines.join('\n')}\n`)
  deps.terminal.note(
    `${waiting.length === 1 ? '1 move waits' : `${waiting.length} moves wait`}; add --yes to approve all of them\n`,
  )
  return 1
}

/** `couchestor cancel`. Resolves to the exit code. */
export async function runCancel(
  { flags, words }: CommandLine,
  deps: DecisionDeps,
): Promise<number> {
  await decideMigration('cancel', words[0] ?? '', flags['namespace'] ?? deps.namespace, deps)
  return 0
}

/** `couchestor pause` and `couchestor resume`. Resolves to the exit code. */
export async function runPause(
  { flags, words }: CommandLine,
  paused: boolean,
  deps: DecisionDeps,
): Promise<number> {
  const what = pausable(words[0] ?? '', flags['namespace'] ?? deps.namespace)
  await setPaused(what, paused, oneOf(flags, 'direction', DIRECTIONS), deps)
  return 0
}
