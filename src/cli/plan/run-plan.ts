import { dump } from 'js-yaml'
import { readSnapshot } from '../../controller/cluster-snapshot.ts'
import type { ReadingDeps } from '../../controller/read-only.ts'
import { UserError } from '../../errors.ts'
import { booleanFlag, oneOf } from '../flags.ts'
import type { FlagSpec, Flags } from '../flags.ts'
import type { Terminal } from '../terminal.ts'
import { rounded } from '../rounded.ts'
import { buildPlan } from '../../insight/plan/build-plan.ts'
import { byNamespace, costsOf } from '../../insight/plan/plan.ts'
import type { Plan } from '../../insight/plan/plan.ts'
import { renderNamespaces, renderPlan } from './render-plan.ts'

export const PLAN_FLAGS = {
  output: {
    value: 'json|yaml|wide',
    choices: ['json', 'yaml', 'wide'],
    short: 'o',
    help: 'another form than a table',
  },
  policy: { value: 'NAME', help: 'only the claims of one policy' },
  namespace: { value: 'NAME', short: 'n', help: 'only the claims of one namespace' },
  all: {
    help: 'also claims that are where they belong, and those no policy manages',
    default: 'false',
  },
  by: {
    value: 'namespace',
    choices: ['namespace'],
    help: 'what the claims of each namespace cost, instead',
  },
} as const satisfies Record<string, FlagSpec>

/** Reads, plans, prints. `flags` by PLAN_FLAGS. Resolves to the exit code. */
export async function runPlan(
  flags: Flags,
  deps: ReadingDeps,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const output = oneOf(flags, 'output', ['json', 'yaml', 'wide'])
  const by = oneOf(flags, 'by', ['namespace'])
  const all = booleanFlag(flags, 'all')
  const snapshot = await readSnapshot(deps, signal)
  const { policy, namespace } = flags
  if (policy !== undefined && snapshot.policies.get(policy) === undefined)
    throw noSuchPolicy(
      policy,
      snapshot.policies.all().map((p) => p.name),
    )
  const plan = narrowed(await buildPlan(snapshot), policy, namespace)
  terminal.progress('')
  const document = rounded(by === undefined ? plan : byNamespace(plan))
  if (output === 'json') terminal.out(`${JSON.stringify(document, null, 2)}\n`)
  else if (output === 'yaml') terminal.out(dump(document, { lineWidth: 120, noRefs: true }))
  else if (by === 'namespace') terminal.out(renderNamespaces(byNamespace(plan)))
  else terminal.out(renderPlan(plan, { wide: output === 'wide', all, columns: terminal.columns }))
  return 0
}

/** The order is that of the whole cluster: what is left out still has its place. */
function narrowed(plan: Plan, policy: string | undefined, namespace: string | undefined): Plan {
  const rows = plan.rows.filter(
    (r) =>
      (policy === undefined || r.policy === policy) &&
      (namespace === undefined || r.namespace === namespace),
  )
  const policies = plan.policies
    .filter((p) => policy === undefined || p.name === policy)
    .map((p) => ({ ...p, ...costsOf(p.name, rows) }))
  return { ...plan, rows, policies }
}

function noSuchPolicy(name: string, known: readonly string[]): UserError {
  return new UserError('NotFound', `StoragePolicy "${name}" does not exist`, {
    fix: known.length === 0 ? 'create one first' : `choose one of ${known.join(', ')}`,
  })
}
