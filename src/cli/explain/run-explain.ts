import { dump } from 'js-yaml'
import { readSnapshot } from '../../controller/cluster-snapshot.ts'
import type { ReadingDeps } from '../../controller/read-only.ts'
import { POLICY_DEFAULTS } from '../../api/policy-schema.ts'
import { UserError } from '../../errors.ts'
import { oneOf } from '../flags.ts'
import type { CommandLine, FlagSpec } from '../flags.ts'
import type { Terminal } from '../terminal.ts'
import { rounded } from '../rounded.ts'
import { explain } from '../../insight/explain/explain.ts'
import { readHistory } from '../../insight/explain/read-history.ts'
import { readUsage } from '../../insight/explain/read-usage.ts'
import { renderExplanation } from './render-explanation.ts'

export const EXPLAIN_WORDS = {
  least: 1,
  most: 1,
  usage: 'pvc/NAME',
  check: ([word = '']: readonly string[]) => void claimName(word),
} as const

export const EXPLAIN_FLAGS = {
  namespace: {
    value: 'NAME',
    short: 'n',
    help: 'namespace of the claim; default: that of the context, else default',
  },
  output: {
    value: 'json|yaml',
    choices: ['json', 'yaml'],
    short: 'o',
    help: 'another form than a page',
  },
  days: { value: 'N', whole: [1, 30], help: 'days of usage in the chart, 1 to 30', default: '7' },
} as const satisfies Record<string, FlagSpec>

/** Reads, explains, prints. Resolves to the exit code. */
export async function runExplain(
  { flags, words }: CommandLine,
  deps: ReadingDeps,
  terminal: Terminal,
  signal: AbortSignal,
  namespace = 'default',
): Promise<number> {
  const output = oneOf(flags, 'output', ['json', 'yaml'])
  const days = Number(flags['days'])
  const key = `${flags['namespace'] ?? namespace}/${claimName(words[0] ?? '')}`
  const snapshot = await readSnapshot(deps, signal)
  const managed = snapshot.claims.get(key)
  if (managed === undefined)
    throw new UserError('NotFound', `there is no claim ${key}`, {
      fix: 'give its namespace with -n',
    })
  const { metrics } = managed.match.policy?.effective ?? {}
  const source = snapshot.sources[metrics?.source ?? deps.config().metrics.source]
  const asked = {
    volumeId: managed.bound?.volume.handle ?? '',
    now: snapshot.now / 1000,
    signal,
  }
  const usage =
    metrics === undefined
      ? null
      : await readUsage(source, { ...asked, windowSeconds: metrics.windowMs / 1000 })
  const ioUnitKiB = metrics?.ioUnitKiB ?? POLICY_DEFAULTS.metrics.ioUnitKiB
  const history = await readHistory(source, { ...asked, days, ioUnitKiB })
  terminal.progress('')
  const explanation = await explain(snapshot, managed, { history, usage })
  if (output === 'json') terminal.out(`${JSON.stringify(rounded(explanation), null, 2)}\n`)
  else if (output === 'yaml')
    terminal.out(dump(rounded(explanation), { lineWidth: 120, noRefs: true }))
  else terminal.out(renderExplanation(explanation, terminal.columns))
  return 0
}

/** `pvc/NAME`, or just `NAME`. Throws for another kind. */
export function claimName(word: string): string {
  const [kind, name, ...rest] = word.includes('/') ? word.split('/') : ['pvc', word]
  const isClaim =
    kind === 'pvc' || kind === 'persistentvolumeclaim' || kind === 'persistentvolumeclaims'
  if (!isClaim || name === undefined || name === '' || rest.length > 0)
    throw new UserError('FlagsInvalid', `"${word}" is not a claim`, {
      fix: 'write pvc/NAME, and its namespace with -n',
    })
  return name
}
