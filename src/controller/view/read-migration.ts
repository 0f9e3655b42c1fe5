import { parseIntent, parseVolumeMigration } from '../../api/parse.ts'
import type { Intent, Step, VolumeMigration } from '../../api/volume-migration.ts'
import type { KubeObject } from '../../kube/types.ts'

/** No key of an object that came from outside. */
const PROBLEMS = Symbol('problems')

type Unreadable = VolumeMigration & { readonly [PROBLEMS]: readonly string[] }

/**
 * A VolumeMigration as the API server has it. Never throws: a call to Cinder may be running for one that somebody has
 * broken since, so it stays in view, as Stuck from the first step on, with what can be read of it.
 */
export function readMigration(raw: KubeObject): VolumeMigration {
  const parsed = parseVolumeMigration(raw)
  return parsed.ok ? parsed.migration : salvaged(raw, parsed.problems)
}

/** What is wrong with one that cannot be read: nothing acts on it. undefined for all others. */
export function whyUnreadable(m: VolumeMigration | Unreadable): string | undefined {
  return PROBLEMS in m ? m[PROBLEMS].join('; ') : undefined
}

/** Whether it says anything about its volume. What never began and cannot be read is as if it were not there. */
export function counts(m: VolumeMigration): boolean {
  return whyUnreadable(m) === undefined || m.status?.step !== 'Waiting'
}

function salvaged(raw: KubeObject, problems: readonly string[]): Unreadable {
  const { apiVersion, metadata, ...rest }: KubeObject & { spec?: unknown; status?: unknown } = raw
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata
  const spec = mapping(rest.spec)
  const claim = mapping(spec['claim'])
  const status = mapping(rest.status)
  const step = stepOf(rest.status)
  const isOver = step === 'Succeeded' || step === 'Failed'
  return {
    apiVersion: apiVersion ?? '',
    kind: 'VolumeMigration',
    metadata: {
      name,
      ...texts({ namespace, uid, resourceVersion, creationTimestamp }),
    },
    spec: {
      claim: { name: text(claim['name']) ?? '', ...texts({ uid: claim['uid'] }) },
      to: text(spec['to']) ?? '',
      policy: text(spec['policy']) ?? '',
      ...texts({ from: spec['from'] }),
    },
    status: {
      step,
      message: `cannot be read: ${problems.join('; ')}`,
      ...texts({ volumeId: status['volumeId'], claimUid: status['claimUid'] }),
      ...(isOver ? endOf(status) : {}),
      ...intentOf(status),
    },
    [PROBLEMS]: problems,
  }
}

/** Waiting only where it is certain that nothing was sent: an intent may be there without the step that goes with it. */
function stepOf(status: unknown): Step {
  if (status === undefined || status === null) return 'Waiting'
  const { step, intent, call } = mapping(status)
  if (step === 'Succeeded' || step === 'Failed') return step
  const isUntouched = intent === undefined && call === undefined
  if (isUntouched && (step === 'Waiting' || isEmpty(status))) return 'Waiting'
  return 'Stuck'
}

/** An end that nothing explains halts all moves, whatever else the object says. */
function endOf({ reason, startedAt, completedAt }: Readonly<Record<string, unknown>>) {
  return texts({ reason, startedAt, completedAt })
}

/** For the epoch that it carries, and the types that it counts on. */
function intentOf({ intent }: Readonly<Record<string, unknown>>): { intent?: Intent } {
  const parsed = parseIntent(intent)
  return parsed === undefined ? {} : { intent: parsed }
}

function isEmpty(status: unknown): boolean {
  return typeof status === 'object' && Object.keys(status ?? {}).length === 0
}

function mapping(value: unknown): Readonly<Record<string, unknown>> {
  const isMapping = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isMapping ? (value as Record<string, unknown>) : {}
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** Those that are texts. */
function texts<K extends string>(values: { readonly [P in K]?: unknown }): { [P in K]?: string } {
  const found = Object.entries(values).filter(([, value]) => typeof value === 'string')
  return Object.fromEntries(found) as { [P in K]?: string }
}
