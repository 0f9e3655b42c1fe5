import { oneOf } from '../flags.ts'
import type { FlagSpec, Flags } from '../flags.ts'
import type { Terminal } from '../terminal.ts'
import type { DoctorDeps } from '../../insight/diagnosis/deps.ts'
import { rounded } from '../rounded.ts'
import { diagnose } from '../../insight/diagnosis/diagnose.ts'
import type { Diagnosis } from '../../insight/diagnosis/diagnose.ts'
import { gatherFacts } from '../../insight/diagnosis/gather/gather-facts.ts'
import { readConfig } from '../../insight/diagnosis/gather/read-config.ts'
import { renderText } from './render.ts'

export const DOCTOR_FLAGS = {
  output: {
    value: 'text|json',
    choices: ['text', 'json'],
    short: 'o',
    help: 'form of the output',
    default: 'text',
  },
  'fail-on': {
    value: 'problem|warning',
    choices: ['problem', 'warning'],
    help: 'least severity that makes the exit code 1',
    default: 'problem',
  },
  policy: { value: 'NAME', help: 'only what concerns one policy' },
  timeout: {
    value: 'SECONDS',
    whole: [1, 600],
    help: 'longest that a single check may take',
    default: '20',
  },
} as const satisfies Record<string, FlagSpec>

const FOUND = 1

/** Looks, judges, prints. `flags` by DOCTOR_FLAGS, `config` and `prometheus`. Resolves to the exit code: 0, or 1 for findings as bad as --fail-on. */
export async function runDoctor(
  flags: Flags,
  deps: DoctorDeps,
  terminal: Terminal,
): Promise<number> {
  const output = oneOf(flags, 'output', ['text', 'json'])
  const failOn = oneOf(flags, 'fail-on', ['problem', 'warning']) ?? 'problem'
  const config = await readConfig(deps, flags)
  const { sections, diagnosis } = diagnose(await gatherFacts(deps, config))
  terminal.out(
    output === 'json'
      ? `${JSON.stringify(rounded(diagnosis), null, 2)}\n`
      : renderText(sections, diagnosis),
  )
  return isBad(diagnosis, failOn) ? FOUND : 0
}

function isBad({ summary }: Diagnosis, failOn: 'problem' | 'warning'): boolean {
  return summary.problems > 0 || (failOn === 'warning' && summary.warnings > 0)
}
