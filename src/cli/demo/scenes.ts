import { ANNOTATION } from '../../api/names.ts'
import { isInFlight } from '../../api/volume-migration.ts'
import type { VolumeMigration } from '../../api/volume-migration.ts'
import type { KubeClient } from '../../kube/types.ts'
import { PERSISTENT_VOLUME_CLAIM } from '../../kube/resources.ts'
import { ACTORS, DETACH_HOUR, SALE_HOUR } from './fleet.ts'
import type { Narrator } from './narrator.ts'
import type { Replica } from './replica.ts'
import type { Replicas } from './replicas.ts'
import type { Stage } from './stage.ts'
import { movesOf } from './views.ts'

export type SceneParts = {
  readonly stage: Stage
  readonly replicas: Replicas
  readonly narrator: Narrator
  readonly kube: KubeClient
  /** Real time, ms. */
  readonly monotonic: () => number
}

const FORCE_HOUR = 6
const SNAPSHOT_GONE_HOUR = 9.5
/** How far the move is when its controller is killed, in ms of the day. */
const KILL_AFTER_MS = 45 * 60_000

/** What people and bad luck do to the fleet in the course of the day. */
export class Scenes {
  readonly #parts: SceneParts
  readonly #due: { readonly hour: number; readonly play: () => void | Promise<void> }[]
  #snapshot = ''
  #killed: { readonly victim: Replica; readonly at: number } | undefined
  #successor: Replica | undefined
  #finished = false

  constructor(parts: SceneParts) {
    this.#parts = parts
    this.#due = [
      { hour: FORCE_HOUR, play: () => this.#force() },
      { hour: SALE_HOUR, play: () => this.#sale() },
      { hour: SNAPSHOT_GONE_HOUR, play: () => this.#dropSnapshot() },
      { hour: DETACH_HOUR, play: () => this.#detach() },
    ]
  }

  /** What is so when the day begins. */
  prepare(): void {
    const { world } = this.#parts.stage
    this.#snapshot = world.cloud.seams.addSnapshot(this.#id(ACTORS.snapshot), 'nightly').id
    world.cloud.seams.planRetype(this.#id(ACTORS.reverted), 'revertAfterCopy')
  }

  /** The leader is dead and nobody has followed yet. */
  get leaderless(): boolean {
    return this.#killed !== undefined && this.#successor === undefined
  }

  async tick(now: number, hour: number): Promise<void> {
    while (this.#due[0] !== undefined && hour >= this.#due[0].hour) await this.#due.shift()?.play()
    this.#maybeKill(now)
    this.#maybeTakenOver()
    this.#maybeFinished()
  }

  async #force(): Promise<void> {
    const { narrator, kube } = this.#parts
    const [namespace = '', name = ''] = ACTORS.forced.split('/')
    narrator.say(
      'you type',
      'strong',
      `kubectl -n ${namespace} annotate pvc/${name} ${ANNOTATION.forceTier}=hot`,
    )
    await kube.patch(
      PERSISTENT_VOLUME_CLAIM,
      name,
      { metadata: { annotations: { [ANNOTATION.forceTier]: 'hot' } } },
      { type: 'merge', namespace },
    )
  }

  #sale(): void {
    this.#parts.narrator.say(
      'load',
      'plain',
      `the sale begins: ${ACTORS.sale} does 6000 operations per second instead of 300`,
    )
  }

  #dropSnapshot(): void {
    const { narrator, stage } = this.#parts
    stage.world.cloud.seams.removeSnapshot(this.#snapshot)
    narrator.say(
      'released',
      'good',
      `the backup job deletes its snapshot of ${ACTORS.snapshot}: nothing blocks the move now`,
    )
  }

  #detach(): void {
    const { narrator, stage } = this.#parts
    stage.actor(ACTORS.detached).volume.detach()
    narrator.say(
      'detached',
      'good',
      `the pod of ${ACTORS.detached} ends and its volume is detached: the gap it waited for`,
    )
  }

  #maybeKill(now: number): void {
    if (this.#killed !== undefined) return
    const m = movesOf(this.#parts.stage, ACTORS.killed).find(isInFlight)
    if (m === undefined || !isLongUnderWay(m, now)) return
    const { replicas, narrator } = this.#parts
    const victim = replicas.killLeader()
    if (victim === undefined) return
    this.#killed = { victim, at: this.#parts.monotonic() }
    narrator.say(
      'KILLED',
      'bad',
      `${victim.name}, in the middle of the move of ${ACTORS.killed}`,
      'Its sockets are broken, its timers dead, its lease not released. Cinder goes on copying.',
    )
  }

  #maybeTakenOver(): void {
    const { replicas, narrator, stage, monotonic } = this.#parts
    const { leader } = replicas
    const m = movesOf(stage, ACTORS.killed).at(-1)
    if (this.#killed === undefined || this.#successor !== undefined || leader === undefined) return
    if (m?.status?.intent?.epoch !== leader.epoch) return
    this.#successor = leader
    const seconds = ((monotonic() - this.#killed.at) / 1000).toFixed(1)
    narrator.say(
      'took over',
      'good',
      `${leader.name} leads, ${seconds} s of real time after the kill`,
      'It found the saved intent, put its own term on it, and watches what Cinder does.',
    )
    replicas.start()
  }

  #maybeFinished(): void {
    const { narrator, stage } = this.#parts
    const m = movesOf(stage, ACTORS.killed).at(-1)
    if (this.#successor === undefined || this.#finished || m?.status?.step !== 'Succeeded') return
    this.#finished = true
    const sent = stage.world.cloud.seams.retypesOf(this.#id(ACTORS.killed)).length
    narrator.say(
      'finished',
      'good',
      `${this.#successor.name} ends the move of ${ACTORS.killed}`,
      `Retypes in Cinder's journal for this volume, both controllers together: ${sent}.`,
    )
  }

  #id(key: string): string {
    return this.#parts.stage.actor(key).volume.id
  }
}

function isLongUnderWay(m: VolumeMigration, now: number): boolean {
  return m.status?.step === 'Retyping' && now - Date.parse(m.status.startedAt ?? '') > KILL_AFTER_MS
}
