import { isFinished, isReplacing, isWaiting } from '../../api/volume-migration.ts'
import type { VolumeMigration } from '../../api/volume-migration.ts'
import { readMigration, whyUnreadable } from '../../controller/view/read-migration.ts'
import { UserError } from '../../errors.ts'
import { PERSISTENT_VOLUME_CLAIM, VOLUME_MIGRATION } from '../../kube/resources.ts'
import { ApiError } from '../../kube/types.ts'
import type { KubeClient, KubeObject } from '../../kube/types.ts'
import type { ClaimName } from './claim-word.ts'

type Reads = Pick<KubeClient, 'get' | 'list'>

/**
 * The move by which the claim can have its former volume back: at step Soaking, or on its way back already. Throws one
 * `UserError` that says why there is none.
 */
export async function soakingMove(claim: ClaimName, kube: Reads): Promise<VolumeMigration> {
  const uid = await uidOfClaim(claim, kube)
  const moves = (await movesOf(claim, kube)).filter((m) => isAbout(m, claim.name, uid))
  const open = moves.filter((m) => !isFinished(m))
  const soaking = open.filter((m) => m.status?.step === 'Soaking')
  const [only, ...others] = soaking
  if (others.length > 0) throw several(claim, soaking)
  if (only !== undefined) return only
  const back = open.find(isOnItsWayBack)
  if (back !== undefined) return back
  throw (
    firstOf(open, (m) => whyNotYet(claim, m)) ??
    firstOf([...open, ...moves.filter(isFinished).toSorted(newestFirst)], (m) =>
      whyOver(claim, m),
    ) ??
    new UserError(
      'NotFound',
      `no move has given claim ${keyOf(claim)} another volume: there is nothing to go back to`,
      { fix: `a retype is undone by a move back: see couchestor explain pvc/${claim.name}` },
    )
  )
}

/** Throws `UserError` unless the move is still one that `soakingMove` finds. */
export function checkSoaking(claim: ClaimName, m: VolumeMigration): void {
  if (m.status?.step === 'Soaking' || isOnItsWayBack(m)) return
  const refusal = whyNotYet(claim, m) ?? whyOver(claim, m)
  if (refusal !== undefined) throw refusal
}

/** The former volume comes back, or is back. */
export function isOnItsWayBack({ status }: VolumeMigration): boolean {
  const { step, reason = '' } = status ?? {}
  return step === 'GivingBack' || (step === 'CleaningUp' && reason === 'RolledBack')
}

export function keyOf({ namespace, name }: ClaimName): string {
  return `${namespace}/${name}`
}

async function uidOfClaim({ namespace, name }: ClaimName, kube: Reads): Promise<string> {
  try {
    const claim = await kube.get<KubeObject>(PERSISTENT_VOLUME_CLAIM, name, namespace)
    return claim.metadata.uid ?? ''
  } catch (e) {
    if (!(e instanceof ApiError) || e.reason !== 'NotFound' || !e.byServer) throw e
    throw new UserError('NotFound', `there is no claim ${namespace}/${name}`, {
      fix: `see kubectl -n ${namespace} get pvc`,
      cause: e,
    })
  }
}

async function movesOf({ namespace }: ClaimName, kube: Reads): Promise<readonly VolumeMigration[]> {
  const found: VolumeMigration[] = []
  let next: string | undefined
  do {
    const page = await kube.list<KubeObject>(VOLUME_MIGRATION, {
      namespace,
      limit: 500,
      ...(next === undefined ? {} : { continue: next }),
    })
    found.push(...page.items.map(readMigration))
    next = page.continue
  } while (next !== undefined && next !== '')
  return found
}

/** A claim that was created again under its name has nothing to do with the moves of the former one. */
function isAbout({ spec, status }: VolumeMigration, name: string, uid: string): boolean {
  const known = spec.claim.uid ?? status?.claimUid
  return spec.claim.name === name && (known === undefined || known === uid)
}

function whyNotYet(claim: ClaimName, m: VolumeMigration): UserError | undefined {
  const { step = 'Waiting', message = '' } = m.status ?? {}
  const { namespace, name } = m.metadata
  const cancel = `couchestor cancel ${name} -n ${namespace}`
  const unreadable = whyUnreadable(m)
  if (step === 'Stuck' || unreadable !== undefined)
    return new UserError(
      'TooLate',
      `${namespace}/${name} is stuck (${unreadable ?? message}), so nothing is done with claim ${keyOf(claim)}`,
      { fix: 'an administrator must check it: docs/runbooks/replacement-stalled.md' },
    )
  if (isWaiting(m) && m.spec.strategy === 'snapshot-restore')
    return new UserError(
      'TooEarly',
      `${namespace}/${name} has not begun: the claim has its volume`,
      {
        fix: cancel,
      },
    )
  if (!isReplacing(m)) return undefined
  if (step === 'Holding' || step === 'Copying' || step === 'Switching')
    return new UserError(
      'TooEarly',
      `${namespace}/${name} is at step ${step}: the claim has no other volume yet that it could go back from`,
      { fix: `${cancel} gives it its volume back without loss` },
    )
  return undefined
}

function whyOver(claim: ClaimName, m: VolumeMigration): UserError | undefined {
  const { step, reason, completedAt, replacement } = m.status ?? {}
  if (replacement === undefined) return undefined
  const { namespace, name } = m.metadata
  const former = replacement.formerVolumeId
  if (step === 'Failed' || (step === 'CleaningUp' && reason !== 'CleaningUp'))
    return new UserError(
      'TooLate',
      `${namespace}/${name} has ended (${reason}): claim ${keyOf(claim)} is on its former volume ${former}`,
    )
  if (step === 'CleaningUp')
    return new UserError(
      'TooLate',
      `${namespace}/${name} is past its soak, and the former volume ${former} is deleted once nothing needs it`,
      { fix: BACK },
    )
  if (step === 'Abandoning')
    return new UserError('TooLate', `${namespace}/${name} is about a claim that was deleted`)
  if (step !== 'Succeeded') return undefined
  return new UserError(
    'TooLate',
    `${namespace}/${name} ended at ${completedAt ?? 'a time that is not known'}, and the former volume ${former} is gone`,
    { fix: BACK },
  )
}

const BACK = 'move the claim back to its tier instead: docs/strategies.md'

function several(claim: ClaimName, moves: readonly VolumeMigration[]): UserError {
  const names = moves.map((m) => m.metadata.name)
  return new UserError(
    'Ambiguous',
    `several moves of claim ${keyOf(claim)} are at step Soaking (${names.join(', ')}), each with a former volume of its own`,
    {
      fix: `set spec.rollback: true on the one that you mean, the latest first: kubectl -n ${claim.namespace} edit vmig ${names[0]}`,
    },
  )
}

function firstOf(
  moves: readonly VolumeMigration[],
  why: (m: VolumeMigration) => UserError | undefined,
): UserError | undefined {
  for (const m of moves) {
    const refusal = why(m)
    if (refusal !== undefined) return refusal
  }
  return undefined
}

function newestFirst(a: VolumeMigration, b: VolumeMigration): number {
  return (b.status?.completedAt ?? '') < (a.status?.completedAt ?? '') ? -1 : 1
}
