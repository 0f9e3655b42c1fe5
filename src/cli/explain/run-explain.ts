import { dump } from 'js-yaml'
import { readPicture } from '../../controller/picture.ts'
import type { ReadingDeps } from '../../controller/read-only.ts'
import { UserError } from '../../errors.ts'
import { oneOf } from '../command-line.ts'
import type { CommandLine } from '../command-line.ts'
import { numberFlag } from '../flags.ts'
import type { FlagSpec } from '../flags.ts'
import type { Terminal } from '../terminal.ts'
import { explain } from './explain.ts'
import { readHistory } from './read-history.ts'
import { readUsage } from './read-usage.ts'
import { renderExplanation } from './render-explanation.ts'

export const EXPLAIN_ABOUT =
  'Tells why the volume of one claim is where it is: usage, costs, guards, and what would change it. Changes nothing.'

export const EXPLAIN_USAGE = 'pvc/NAME'

export const EXPLAIN_FLAGS = {
  namespace: { value: 'NAME', help: '(-n) namespace of the claim', default: 'default' },
  output: { value: 'json|yaml', help: '(-o) another form than a page' },
  days: { value: 'N', help: 'days of usage in the chart, 1 to 30', default: '7' },
} as const satisfies Record<string, FlagSpec>

/** Reads, explains, prints. Resolves to the exit code. */
export async function runExplain(
  { flags, words }: CommandLine,
  deps: ReadingDeps,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const output = oneOf(flags, 'output', ['json', 'yaml'])
  const days = numberFlag(flags, 'days', 1, 30)
  const key = `${flags['namespace'] ?? 'default'}/${claimName(words[0] ?? '')}`
  const picture = await readPicture(deps, signal)
  const managed = picture.claims.get(key)
  if (managed === undefined)
    throw new UserError('NOT_FOUND', `there is no claim ${key}; give its namespace with -n`)
  const { metrics } = managed.match.policy?.effective ?? {}
  const source = picture.sources[metrics?.source ?? deps.config().metrics.source]
  const asked = {
    volumeId: managed.bound?.volume.handle ?? '',
    now: picture.now / 1000,
    signal,
  }
  const usage =
    metrics === undefined
      ? null
      : await readUsage(source, { ...asked, windowSeconds: metrics.windowMs / 1000 })
  const ioUnitKiB = metrics?.ioUnitKiB ?? 256
  const history = await readHistory(source, { ...asked, days, ioUnitKiB })
  terminal.progress('')
  const explanation = explain(picture, managed, { history, usage })
  if (output === 'json') terminal.out(`${JSON.stringify(explanation, null, 2)}\n`)
  else if (output === 'yaml') terminal.out(dump(explanation, { lineWidth: 120, noRefs: true }))
  else terminal.out(renderExplanation(explanation))
  return 0
}

/** `pvc/NAME`, or just `NAME`. Throws for another kind. */
export function claimName(word: string): string {
  const [kind, name, ...rest] = word.includes('/') ? word.split('/') : ['pvc', word]
  const isClaim =
    kind === 'pvc' || kind === 'persistentvolumeclaim' || kind === 'persistentvolumeclaims'
  if (!isClaim || name === undefined || name === '' || rest.length > 0)
    throw new UserError('FLAGS', `"${word}" is no claim; write pvc/NAME`)
  return name
}
