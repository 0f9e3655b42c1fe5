import type { VolumeMigration } from '../../api/volume-migration.ts'
import { ACTORS } from './fleet.ts'
import type { Stage } from './stage.ts'
import { claimEvents, migrations, movesOf, tierAnnotation } from './views.ts'

export type Check = { readonly what: string; readonly wrong: readonly string[] }

/** What every volume must hold. Its client goes on writing while it is moved. */
export class Contents {
  readonly #stage: Stage
  readonly #expected = new Map<string, string>()
  #round = 0

  constructor(stage: Stage) {
    this.#stage = stage
    for (const a of stage.actors)
      this.#expected.set(a.key, stage.world.cloud.seams.data(a.volume.id))
  }

  write(): void {
    this.#round++
    for (const a of this.#stage.actors) {
      const text = `${a.key} ${this.#round}`
      this.#stage.world.cloud.seams.write(a.volume.id, text)
      this.#expected.set(a.key, text)
    }
  }

  /** Claims whose volume does not hold what was written last. */
  lost(): readonly string[] {
    const { seams } = this.#stage.world.cloud
    return this.#stage.actors
      .filter((a) => seams.data(a.volume.id) !== this.#expected.get(a.key))
      .map((a) => a.key)
  }
}

/** What the demo promises, read from the simulated services and not from what it has printed. */
export function checks(stage: Stage, contents: Contents): readonly Check[] {
  return [
    { what: 'every volume holds what was written to it last', wrong: contents.lost() },
    { what: 'Cinder got one retype per attempt, and none twice', wrong: repeated(stage) },
    {
      what: 'the move of the killed controller ended well, with one retype',
      wrong: unless(killedWell(stage), ACTORS.killed),
    },
    {
      what: 'the forced claim is on the tier asked for',
      wrong: unless(stage.tierOf(stage.actor(ACTORS.forced)) === 'hot', ACTORS.forced),
    },
    {
      what: 'the silent revert was reported, and repaired after a pause',
      wrong: unless(revertedThenMoved(stage), ACTORS.reverted),
    },
    {
      what: 'volumes blocked by snapshot or attachment moved in the end',
      wrong: [ACTORS.snapshot, ACTORS.detached].filter((key) => !blockedThenMoved(stage, key)),
    },
    {
      what: 'the claim with the sale got a faster tier',
      wrong: unless(stage.tierOf(stage.actor(ACTORS.sale)) === 'hot', ACTORS.sale),
    },
    { what: 'each claim is annotated with the tier that Cinder shows', wrong: misnamed(stage) },
  ]
}

function unless(right: boolean, key: string): readonly string[] {
  return right ? [] : [key]
}

/**
 * By the ids of the calls. An attempt that Cinder has ended is in its journal; one whose controller was killed between the
 * saved intent and the call may be missing there.
 */
function repeated(stage: Stage): readonly string[] {
  return stage.actors
    .filter((a) => {
      const moves = movesOf(stage, a.key)
      const attempts = moves.map(attemptOf)
      const ended = moves.filter(isEndedByCinder).map(attemptOf)
      const calls = stage.world.cloud.seams.retypesOf(a.volume.id).map((e) => e.globalRequestId)
      const twice = new Set(calls).size < calls.length
      return (
        twice ||
        calls.some((id) => !attempts.includes(id)) ||
        ended.some((id) => !calls.includes(id))
      )
    })
    .map((a) => a.key)
}

function attemptOf(m: VolumeMigration): string {
  return m.status?.intent?.requestId ?? ''
}

function isEndedByCinder({ status }: VolumeMigration): boolean {
  if (status?.intent === undefined) return false
  return status.step === 'Succeeded' || status.reason === 'Reverted'
}

function killedWell(stage: Stage): boolean {
  const { volume } = stage.actor(ACTORS.killed)
  const [m, ...more] = movesOf(stage, ACTORS.killed)
  return (
    m?.status?.step === 'Succeeded' &&
    more.length === 0 &&
    (m.status.intent?.epoch ?? 0) > 1 &&
    stage.world.cloud.seams.retypesOf(volume.id).length === 1
  )
}

function revertedThenMoved(stage: Stage): boolean {
  const moves = movesOf(stage, ACTORS.reverted)
  return moves[0]?.status?.reason === 'Reverted' && moves.at(-1)?.status?.step === 'Succeeded'
}

function blockedThenMoved(stage: Stage, key: string): boolean {
  const blocked = claimEvents(stage).some((e) => e.key === key && e.reason === 'MigrationBlocked')
  return blocked && succeeded(stage).some((m) => keyOf(m) === key)
}

function misnamed(stage: Stage): readonly string[] {
  return stage.actors
    .filter((a) => {
      const moving = movesOf(stage, a.key).some((m) => m.status?.completedAt === undefined)
      return !moving && tierAnnotation(stage, a.key) !== stage.tierOf(a)
    })
    .map((a) => a.key)
}

export function succeeded(stage: Stage): readonly VolumeMigration[] {
  return migrations(stage).filter((m) => m.status?.step === 'Succeeded')
}

function keyOf(m: VolumeMigration): string {
  return `${m.metadata.namespace}/${m.spec.claim.name}`
}
