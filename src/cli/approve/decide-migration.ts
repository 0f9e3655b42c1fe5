import { EVENT_REASONS } from '../../api/event-reasons.ts'
import type { EventReason } from '../../api/event-reasons.ts'
import { isFinished, isReplacing, isWaiting, routeOf } from '../../api/volume-migration.ts'
import type { Step, VolumeMigration } from '../../api/volume-migration.ts'
import { UserError } from '../../errors.ts'
import { VOLUME_MIGRATION } from '../../kube/resources.ts'
import { ApiError } from '../../kube/types.ts'
import { byWhom, recordOf } from './decision.ts'
import type { DecisionDeps } from './decision.ts'

export type Decision = 'approve' | 'cancel'

const TRIES = 5

/** Writes a person's approval or cancellation into one VolumeMigration. Throws `UserError` when it comes too late. */
export async function decideMigration(
  decision: Decision,
  name: string,
  namespace: string,
  deps: DecisionDeps,
): Promise<void> {
  let held: string | undefined
  let hasBegun = false
  for (let tries = 1; ; tries++) {
    const m = await migration(name, namespace, deps)
    const done = answerTo(decision, m)
    hasBegun = !isWaiting(m)
    held =
      decision === 'approve' && m.status?.reason === 'NoAdmissionPolicy' ? m.status.message : ''
    if (done !== undefined) {
      deps.terminal.out(`${done}\n`)
      return
    }
    try {
      await write(decision, m, deps)
      break
    } catch (e) {
      // the controller writes the status while it waits; read again
      if (!(e instanceof ApiError) || e.reason !== 'Conflict' || tries === TRIES) throw e
    }
  }
  deps.terminal.out(
    decision === 'approve'
      ? `${namespace}/${name} is approved; ${whenIt(held)}\n`
      : `${namespace}/${name} is cancelled${hasBegun ? ', and its claim gets its volume back' : ''}\n`,
  )
}

function whenIt(held: string | undefined): string {
  return held ? `it waits: ${held}` : 'it is checked once more and starts when its turn comes'
}

/** Moves of a policy that wait for a yes. */
export async function awaiting(
  policy: string,
  namespace: string | undefined,
  deps: DecisionDeps,
): Promise<readonly VolumeMigration[]> {
  const found: VolumeMigration[] = []
  let next: string | undefined
  do {
    const page = await deps.kube.list<VolumeMigration>(VOLUME_MIGRATION, {
      limit: 500,
      ...(namespace === undefined ? {} : { namespace }),
      ...(next === undefined ? {} : { continue: next }),
    })
    found.push(...page.items)
    next = page.continue
  } while (next !== undefined && next !== '')
  return found.filter((m) => m.spec.policy === policy && isOpen(m) && m.spec.approved !== true)
}

function isOpen(m: VolumeMigration): boolean {
  return isWaiting(m) && m.spec.cancel !== true
}

async function migration(
  name: string,
  namespace: string,
  { kube }: DecisionDeps,
): Promise<VolumeMigration> {
  try {
    return await kube.get<VolumeMigration>(VOLUME_MIGRATION, name, namespace)
  } catch (e) {
    if (!(e instanceof ApiError) || e.reason !== 'NotFound') throw e
    throw new UserError(
      'NotFound',
      `there is no VolumeMigration ${namespace}/${name}; planned moves that are not approved are replaced by better ones`,
      { fix: 'see couchestor plan, and give the namespace with -n', cause: e },
    )
  }
}

/** A sentence when nothing is left to do, undefined to go on. */
function answerTo(decision: Decision, m: VolumeMigration): string | undefined {
  const name = `${m.metadata.namespace}/${m.metadata.name}`
  const { step, reason } = m.status ?? {}
  if (decision === 'cancel' && m.spec.cancel === true) return `${name} is cancelled already`
  if (isFinished(m))
    throw new UserError(
      'TooLate',
      `${name} has ended (${step}, ${reason}); nothing is left to ${decision}`,
    )
  if (decision === 'approve' && m.spec.approved === true) return `${name} is approved already`
  if (!isWaiting(m) && !(decision === 'cancel' && hasOwnVolume(m))) throw underWay(name, m)
  if (m.spec.cancel === true)
    throw new UserError('TooLate', `${name} is cancelled; that cannot be taken back`)
  return undefined
}

/** Of a replacement: until the switch the claim gets its volume back without loss. */
function hasOwnVolume({ status }: VolumeMigration): boolean {
  return OWN_VOLUME.has(status?.step ?? 'Waiting')
}

const OWN_VOLUME: ReadonlySet<Step> = new Set<Step>(['Holding', 'Copying', 'Switching'])

function underWay(name: string, m: VolumeMigration): UserError {
  const { step } = m.status ?? {}
  if (step === 'Soaking')
    return new UserError('TooLate', `${name} is under way (${step}): its claim has the copy`, {
      fix: `couchestor rollback ${m.metadata.namespace}/${m.spec.claim.name} gives the former volume back, without what was written since`,
    })
  return new UserError(
    'TooLate',
    isReplacing(m)
      ? `${name} is at step ${step}, which nothing but its end follows`
      : `${name} is under way (${step}): Cinder has been asked, and a retype cannot be called back`,
  )
}

async function write(decision: Decision, m: VolumeMigration, deps: DecisionDeps): Promise<void> {
  const { name, namespace, resourceVersion } = m.metadata
  const approve = decision === 'approve'
  await deps.kube.patch(
    VOLUME_MIGRATION,
    name,
    {
      metadata: {
        resourceVersion,
        annotations: recordOf(approve ? 'approved' : 'cancelled', deps),
      },
      spec: approve ? { approved: true } : { cancel: true },
    },
    { type: 'merge', ...(namespace === undefined ? {} : { namespace }) },
  )
  // the controller reports the end of a cancelled move itself
  if (approve) emitEvent('MigrationApproved', m, deps)
}

function emitEvent(
  reason: EventReason,
  { metadata, spec }: VolumeMigration,
  deps: DecisionDeps,
): void {
  const { namespace } = metadata
  deps.events.event(
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      name: spec.claim.name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(spec.claim.uid === undefined ? {} : { uid: spec.claim.uid }),
    },
    EVENT_REASONS[reason].type,
    reason,
    `${routeOf(spec)}: approved ${byWhom(deps)}`,
  )
}
