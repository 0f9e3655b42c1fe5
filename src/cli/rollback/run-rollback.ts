import { dump } from 'js-yaml'
import type { VolumeMigration } from '../../api/volume-migration.ts'
import { UserError } from '../../errors.ts'
import { VOLUME_MIGRATION } from '../../kube/resources.ts'
import { ApiError } from '../../kube/types.ts'
import { recordOf } from '../approve/decision.ts'
import type { DecisionDeps } from '../approve/decision.ts'
import { confirmed } from '../confirm.ts'
import type { Asking } from '../confirm.ts'
import { booleanFlag, oneOf, OUTPUT_FLAG } from '../flags.ts'
import type { CommandLine, FlagSpec } from '../flags.ts'
import { printable } from '../table.ts'
import { claimOf } from './claim-word.ts'
import type { ClaimName } from './claim-word.ts'
import { checkSoaking, isOnItsWayBack, keyOf, soakingMove } from './find-move.ts'
import { prospectOf } from './prospect.ts'
import type { Prospect } from './prospect.ts'
import { renderProspect } from './render-prospect.ts'

export const ROLLBACK_FLAGS = {
  namespace: {
    value: 'NAME',
    short: 'n',
    help: 'namespace of a claim that is given without; default: that of the context',
  },
  yes: { help: 'ask no question', default: 'false' },
  reason: { value: 'TEXT', help: 'why; recorded with your user name' },
  output: { ...OUTPUT_FLAG, help: 'another form than text' },
} as const satisfies Record<string, FlagSpec>

export type RollbackDeps = DecisionDeps & Asking

const TRIES = 5

/**
 * Gives a claim its former volume back while its move soaks. Resolves to the exit code: 1 when the person does not want it
 * after all. Throws `UserError` where that is not possible.
 */
export async function runRollback(
  { flags, words }: CommandLine,
  deps: RollbackDeps,
): Promise<number> {
  const output = oneOf(flags, 'output', ['json', 'yaml'])
  const claim = claimOf(words[0] ?? '', flags['namespace'] ?? deps.namespace)
  const { kube, terminal, clock } = deps
  const move = await soakingMove(claim, kube)
  if (isWanted(move)) return already(claim, move, deps)
  const prospect = await prospectOf(claim, move, kube)
  if (output === undefined) terminal.out(renderProspect(prospect, clock.now()))
  const isYes = await confirmed(
    `Give claim ${keyOf(claim)} its former volume back, and lose what was written since?`,
    booleanFlag(flags, 'yes'),
    deps,
  )
  if (isYes) await write(claim, move, deps)
  if (output === undefined) terminal.out(isYes ? asked(claim, move) : 'nothing was changed\n')
  else terminal.out(shaped({ ...prospect, requested: isYes }, output))
  return isYes ? 0 : 1
}

function asked(claim: ClaimName, { metadata }: VolumeMigration): string {
  return (
    `claim ${keyOf(claim)} gets its former volume back once no Pod uses it; ` +
    `follow it with: kubectl -n ${claim.namespace} get vmig ${metadata.name} -w\n`
  )
}

function shaped(result: Prospect & { readonly requested: boolean }, output: 'json' | 'yaml') {
  return output === 'json'
    ? `${JSON.stringify(result, null, 2)}\n`
    : dump(result, { lineWidth: 120, noRefs: true })
}

function isWanted(m: VolumeMigration): boolean {
  return m.spec.rollback === true || isOnItsWayBack(m)
}

function already(claim: ClaimName, m: VolumeMigration, { terminal }: RollbackDeps): number {
  const { message } = m.status ?? {}
  terminal.note(
    `claim ${keyOf(claim)} is being given its former volume back already${message ? `: ${printable(message)}` : ''}\n`,
  )
  return 0
}

async function write(claim: ClaimName, found: VolumeMigration, deps: RollbackDeps): Promise<void> {
  const { name, uid } = found.metadata
  const { namespace } = claim
  let m = found
  for (let tries = 1; ; tries++) {
    try {
      await deps.kube.patch(
        VOLUME_MIGRATION,
        name,
        {
          metadata: {
            uid,
            resourceVersion: m.metadata.resourceVersion,
            annotations: recordOf('rolledBack', deps),
          },
          spec: { rollback: true },
        },
        { type: 'merge', namespace },
      )
      break
    } catch (e) {
      // the controller writes the status while it soaks; what the person agreed to is checked again
      if (!(e instanceof ApiError) || e.reason !== 'Conflict' || tries === TRIES) throw e
    }
    m = await again(claim, name, uid, deps)
    if (isWanted(m)) return
    checkSoaking(claim, m)
  }
  if ((await again(claim, name, uid, deps)).spec.rollback !== true)
    throw new UserError(
      'CrdOutdated',
      'the API server has dropped spec.rollback: the CustomResourceDefinition of VolumeMigration is older than this program',
      {
        fix: 'upgrade it with the Helm chart, or with kubectl apply -f deploy/crds/, and try again',
      },
    )
}

async function again(
  claim: ClaimName,
  name: string,
  uid: string | undefined,
  { kube }: RollbackDeps,
): Promise<VolumeMigration> {
  const gone = (cause?: unknown) =>
    new UserError('TooLate', `VolumeMigration ${claim.namespace}/${name} was deleted meanwhile`, {
      cause,
    })
  try {
    const m = await kube.get<VolumeMigration>(VOLUME_MIGRATION, name, claim.namespace)
    if (m.metadata.uid !== uid) throw gone()
    return m
  } catch (e) {
    if (!(e instanceof ApiError) || e.reason !== 'NotFound') throw e
    throw gone(e)
  }
}
