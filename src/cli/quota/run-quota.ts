import { dump } from 'js-yaml'
import { readSnapshot } from '../../controller/cluster-snapshot.ts'
import type { ReadingDeps } from '../../controller/read-only.ts'
import { buildQuota } from '../../insight/quota/build-quota.ts'
import { oneOf, OUTPUT_FLAG } from '../flags.ts'
import type { FlagSpec, Flags } from '../flags.ts'
import type { Terminal } from '../terminal.ts'
import { renderQuota } from './render-quota.ts'

export const QUOTA_FLAGS = {
  output: OUTPUT_FLAG,
} as const satisfies Record<string, FlagSpec>

/** Reads, compares, prints. `flags` by QUOTA_FLAGS. Resolves to the exit code. */
export async function runQuota(
  flags: Flags,
  deps: ReadingDeps,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const output = oneOf(flags, 'output', ['json', 'yaml'])
  const report = await buildQuota(await readSnapshot(deps, signal))
  terminal.progress('')
  if (output === 'json') terminal.out(`${JSON.stringify(report, null, 2)}\n`)
  else if (output === 'yaml') terminal.out(dump(report, { lineWidth: 120, noRefs: true }))
  else terminal.out(renderQuota(report))
  return 0
}
