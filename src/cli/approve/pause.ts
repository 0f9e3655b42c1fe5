import { ANNOTATION, API_VERSION } from '../../api/names.ts'
import { UserError } from '../../errors.ts'
import { PERSISTENT_VOLUME_CLAIM, STORAGE_POLICY } from '../../kube/resources.ts'
import { ApiError } from '../../kube/types.ts'
import type { KubeObject, ObjectReference, Resource } from '../../kube/types.ts'
import type { Flags } from '../flags.ts'
import { claimName } from '../explain/run-explain.ts'
import { byWhom, noRecordOf, recordOf } from './decision.ts'
import type { DecisionDeps } from './decision.ts'

/** What a claim may be kept from: any move, or one direction. */
export const DIRECTIONS = ['promotion', 'demotion'] as const

/** `policy` by its name, or a claim. */
export type Pausable =
  | { readonly kind: 'policy'; readonly name: string }
  | { readonly kind: 'claim'; readonly name: string; readonly namespace: string }

/** `POLICY`, `stp/POLICY` or `pvc/NAME`. Throws `UserError` for anything else. */
export function pausable(word: string, namespace: string): Pausable {
  const [kind, name] = word.split('/')
  if (!word.includes('/')) return { kind: 'policy', name: word }
  if ((kind === 'stp' || kind === 'storagepolicy') && name) return { kind: 'policy', name }
  return { kind: 'claim', name: claimName(word), namespace }
}

/** For `pause` and `resume`: throws `UserError` for what neither can mean. */
export function checkPause([word = '']: readonly string[], flags: Flags): void {
  if (pausable(word, '').kind === 'policy' && flags['direction'] !== undefined)
    throw new UserError(
      'FlagsInvalid',
      '--direction is for claims; a policy is paused altogether',
      {
        fix: 'leave it out',
      },
    )
}

/** Keeps a policy or a claim from new moves, or lets it go again. What runs in Cinder is not touched. */
export async function setPaused(
  what: Pausable,
  paused: boolean,
  direction: (typeof DIRECTIONS)[number] | undefined,
  deps: DecisionDeps,
): Promise<void> {
  const annotations = paused ? recordOf('paused', deps) : noRecordOf('paused')
  const value = paused ? (direction ?? 'true') : null
  const body =
    what.kind === 'policy'
      ? { metadata: { annotations }, spec: { paused } }
      : { metadata: { annotations: { ...annotations, [ANNOTATION.paused]: value } } }
  const object = await patched(what, body, deps)
  const verb = paused ? 'Paused' : 'Resumed'
  deps.events.event(
    referenceTo(what, object),
    'Normal',
    verb,
    `${verb.toLowerCase()} ${byWhom(deps)}`,
  )
  deps.terminal.out(`${nameOf(what)} is ${verb.toLowerCase()}\n`)
}

async function patched(what: Pausable, body: object, { kube }: DecisionDeps): Promise<KubeObject> {
  const resource: Resource = what.kind === 'policy' ? STORAGE_POLICY : PERSISTENT_VOLUME_CLAIM
  const place = what.kind === 'policy' ? {} : { namespace: what.namespace }
  try {
    return await kube.patch(resource, what.name, body, { type: 'merge', ...place })
  } catch (e) {
    if (!(e instanceof ApiError) || e.reason !== 'NotFound') throw e
    throw new UserError('NotFound', `${nameOf(what)} does not exist`, { cause: e })
  }
}

function nameOf(what: Pausable): string {
  return what.kind === 'policy'
    ? `StoragePolicy ${what.name}`
    : `claim ${what.namespace}/${what.name}`
}

function referenceTo(what: Pausable, { metadata: { uid } }: KubeObject): ObjectReference {
  const known = uid === undefined ? {} : { uid }
  return what.kind === 'policy'
    ? { apiVersion: API_VERSION, kind: 'StoragePolicy', name: what.name, ...known }
    : {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        name: what.name,
        namespace: what.namespace,
        ...known,
      }
}
