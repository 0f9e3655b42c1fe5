import { isInFlight } from '../../src/api/volume-migration.ts'
import type { StoragePolicy } from '../../src/api/storage-policy.ts'
import type { VolumeMigration } from '../../src/api/volume-migration.ts'
import type { HttpRequest } from '../../src/http.ts'
import type { WorldView } from './oracles-world.ts'
import type { Universe } from './universe.ts'

// Whether what the product says is so, in the words of its reference and by the state of the world.

export const STATUS_OF_MOVE = /\/namespaces\/([^/]+)\/volumemigrations\/([^/]+)\/status\?/

/** A volume shows its new type and rests for a moment in mid-move. */
export function prematureSuccess(
  universe: WorldView,
  _: string,
  { method, url, body = '' }: HttpRequest,
): string[] {
  if (method !== 'PATCH' || !body.includes('"step":"Succeeded"')) return []
  const [, namespace, name] = STATUS_OF_MOVE.exec(url) ?? []
  const move = universe
    .moves()
    .find(({ metadata }) => metadata.name === name && metadata.namespace === namespace)
  const id = move?.status?.volumeId ?? ''
  return universe.world.cloud.seams.retyping().includes(id)
    ? [`${namespace}/${name} says that it has succeeded, and Cinder still moves volume ${id}`]
    : []
}

export function conditionsMatch(universe: WorldView): string[] {
  return universe.moves().flatMap((m) => {
    const { step, conditions = [] } = m.status ?? {}
    if (step === undefined || conditions.length === 0) return []
    const said = (type: string) => conditions.find((c) => c.type === type)?.status ?? 'missing'
    const { succeeded, progressing } = truthOf(m)
    const name = `${m.metadata.namespace}/${m.metadata.name} at ${step}`
    return [
      ...(said('Succeeded') === succeeded ? [] : [`${name}: Succeeded=${said('Succeeded')}`]),
      ...(said('Progressing') === progressing
        ? []
        : [`${name}: Progressing=${said('Progressing')}`]),
    ]
  })
}

/** It holds no place any more, and is not over. */
const AFTER_THE_COPY: ReadonlySet<string> = new Set([
  'Soaking',
  'CleaningUp',
  'GivingBack',
  'Abandoning',
])

function truthOf(m: VolumeMigration) {
  const ends: Readonly<Record<string, string>> = { Succeeded: 'True', Failed: 'False' }
  return {
    succeeded: ends[m.status?.step ?? ''] ?? 'Unknown',
    progressing: isInFlight(m) || AFTER_THE_COPY.has(m.status?.step ?? '') ? 'True' : 'False',
  }
}

/** Asked of a world in which nothing has changed for long. */
export function policyStatusTrue(universe: Universe): string[] {
  return universe.policies().flatMap((policy) => {
    const { name, generation } = policy.metadata
    const { status } = policy
    const ready = status?.conditions?.find((c) => c.type === 'Ready')
    if (status === undefined || ready === undefined) return [`${name} has no condition Ready`]
    const running = universe.moves().filter((m) => isInFlight(m) && m.spec.policy === name)
    // one that cannot be written may be over, and only the product knows
    const mute = running.filter((m) => universe.undo.has(`status of ${m.metadata.name}`))
    const moving = mute.length > 0 ? status.moving : running.length
    return [
      ...differ(`${name}: observedGeneration`, status.observedGeneration, generation),
      ...differ(`${name}: Ready of generation`, ready.observedGeneration, generation),
      ...differ(`${name}: moving`, status.moving, moving),
      ...differ(`${name}: managedClaims`, status.managedClaims, claimsOf(universe, policy)),
      ...differ(`${name}: paused`, ready.reason === 'Paused', policy.spec.paused === true),
    ]
  })
}

function claimsOf(universe: Universe, { metadata }: StoragePolicy): number {
  const { living, unbound } = universe.cluster
  return [...living, ...unbound].filter((c) => universe.policyNameOf(c) === metadata.name).length
}

function differ(what: string, said: unknown, is: unknown): string[] {
  return said === is ? [] : [`${what} is ${String(said)} and should be ${String(is)}`]
}
