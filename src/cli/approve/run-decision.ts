import { UserError } from '../../errors.ts'
import { money } from '../money.ts'
import { oneOf } from '../command-line.ts'
import type { CommandLine } from '../command-line.ts'
import { booleanFlag } from '../flags.ts'
import type { FlagSpec } from '../flags.ts'
import { awaiting, decideMigration } from './decide-migration.ts'
import type { DecisionDeps } from './decision.ts'
import { DIRECTIONS, pausable, setPaused } from './pause.ts'

const NAMESPACE = { value: 'NAME', help: '(-n) namespace', default: 'default' }
const REASON = { value: 'TEXT', help: 'why; kept beside your name' }

export const APPROVE_FLAGS = {
  namespace: {
    value: 'NAME',
    help: '(-n) namespace of the VolumeMigration; default, with --all every one',
  },
  policy: { value: 'NAME', help: 'with --all: the policy whose waiting moves are meant' },
  all: { help: 'all moves of the policy that wait for approval', default: 'false' },
  yes: { help: 'with --all: yes, really; without it they are only listed', default: 'false' },
  reason: REASON,
} as const satisfies Record<string, FlagSpec>

export const CANCEL_FLAGS = { namespace: NAMESPACE, reason: REASON } as const

export const PAUSE_FLAGS = {
  namespace: { ...NAMESPACE, help: '(-n) namespace of the claim' },
  direction: {
    value: 'promotion|demotion',
    help: 'a claim: only moves to faster, or to slower tiers',
  },
  reason: REASON,
} as const satisfies Record<string, FlagSpec>

export const RESUME_FLAGS = { namespace: PAUSE_FLAGS.namespace, reason: REASON } as const

/** `couchestor approve`. Resolves to the exit code. */
export async function runApprove(
  { flags, words }: CommandLine,
  deps: DecisionDeps,
): Promise<number> {
  const all = booleanFlag(flags, 'all')
  const { policy, namespace } = flags
  if (all !== (policy !== undefined) || all === words.length > 0)
    throw new UserError('FLAGS', 'approve wants a VolumeMigration, or --policy NAME --all')
  if (!all) {
    await decideMigration('approve', words[0] ?? '', namespace ?? 'default', deps)
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
      `  ${metadata.namespace}/${metadata.name}: ${spec.claim.name}, ${spec.from ?? 'its type'} to ${spec.to}${status?.monthlySaving === undefined ? '' : `, saves ${money(Number(status.monthlySaving))} a month`}`,
  )
  deps.terminal.out(`${lines.join('\n')}\n`)
  deps.terminal.note(`${waiting.length} moves wait; add --yes to approve them all\n`)
  return 1
}

/** `couchestor cancel`. Resolves to the exit code. */
export async function runCancel(
  { flags, words }: CommandLine,
  deps: DecisionDeps,
): Promise<number> {
  await decideMigration('cancel', words[0] ?? '', flags['namespace'] ?? 'default', deps)
  return 0
}

/** `couchestor pause` and `couchestor resume`. Resolves to the exit code. */
export async function runPause(
  { flags, words }: CommandLine,
  paused: boolean,
  deps: DecisionDeps,
): Promise<number> {
  const what = pausable(words[0] ?? '', flags['namespace'] ?? 'default')
  await setPaused(what, paused, oneOf(flags, 'direction', DIRECTIONS), deps)
  return 0
}
