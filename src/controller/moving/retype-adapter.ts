import type { Intent, VolumeMigration } from '../../api/volume-migration.ts'
import type { Change } from '../../audit/change.ts'
import { messageOf, stable } from '../../errors.ts'
import { deadlineMs } from '../../migration/retype/machine.ts'
import type { VolumeSight } from '../../migration/retype/machine.ts'
import type { PreflightFacts } from '../../migration/retype/preflight.ts'
import { isAttached } from '../../openstack/attached.ts'
import type { CinderVolume, RetypeRequest } from '../../openstack/types.ts'
import { isTarget } from '../view/targets.ts'
import type { BoundClaim, Target } from '../view/targets.ts'
import type { ActAnswer, ActOn, Adapter } from './adapter.ts'
import { changeOf } from './audited-move.ts'
import { hiddenFrom } from './hidden.ts'
import type { Ports } from './registered.ts'

type Allowed = Intent & Required<Pick<Intent, 'migration'>>

/** Retype by Cinder: reads the volume, and makes the one call. */
export class RetypeAdapter implements Adapter<PreflightFacts, VolumeSight> {
  readonly #ports: Ports

  constructor(ports: Ports) {
    this.#ports = ports
  }

  facts(target: Target, volume: CinderVolume): Promise<PreflightFacts> {
    return this.#ports.gatherer.gather(target, volume)
  }

  deadlineMs(target: Target, volume: CinderVolume): number {
    return deadlineMs(volume.sizeGiB, target.policy.effective.migration.retypeTimeoutMs)
  }

  async look({ metadata, status }: VolumeMigration): Promise<VolumeSight> {
    const id = status?.volumeId
    if (status === undefined || id === undefined)
      return { kind: 'Unreadable', why: 'the volume id was not saved' }
    // a copy may be from a cluster of another project, whose credential nobody here has
    const own = status.intent?.objectUid === metadata.uid ? status.intent : undefined
    try {
      // before and after: the credential may be switched at any moment
      const hidden = await this.#hidden(own)
      const v = await this.#ports.inventory.readVolume(id)
      if (v !== undefined) return sightOf(v)
      const why = hidden ?? (await this.#hidden(own))
      return why === undefined ? { kind: 'Absent' } : { kind: 'Unreadable', why }
    } catch (e) {
      return { kind: 'Unreadable', why: `Cinder does not answer: ${stable(messageOf(e))}` }
    }
  }

  async perform({ target, intent, move }: ActOn, fence: () => void): Promise<ActAnswer> {
    if (!isTarget(target)) return notSent(target.message)
    const { migration } = intent
    if (migration === undefined)
      return notSent('the intent does not say what the policy allowed when the move began')
    return this.#retype(target, changeOf(move, intent), { ...intent, migration }, fence)
  }

  async #hidden(intent: Intent | undefined): Promise<string | undefined> {
    return hiddenFrom(await this.#ports.deps.volumes.projectId(), intent)
  }

  /** The client asks the fence right before it sends, with nothing awaited in between. */
  #retype(
    target: BoundClaim,
    change: Change,
    intent: Allowed,
    fence: () => void,
  ): Promise<ActAnswer> {
    const request: RetypeRequest = {
      volumeId: target.volume.handle,
      newTypeId: intent.toTypeId,
      migrationPolicy: intent.migration.migrationPolicy,
      requestId: intent.requestId,
      fence: () => {
        fence()
        // Kubernetes announces an attachment before Nova makes it: the last moment to step back
        if (this.#ports.gatherer.isUnsafelyAttached(target, intent))
          throw new Error('a pod is about to use the volume')
      },
    }
    return this.#ports.deps.volumes.retype(request, change, () =>
      this.#changedMeanwhile(target, intent),
    )
  }

  /** Cinder retypes whatever it finds, so what preflight has seen must still be so right before the call. */
  async #changedMeanwhile(target: BoundClaim, intent: Intent): Promise<ActAnswer | undefined> {
    try {
      const now = await this.#ports.inventory.readVolume(target.volume.handle)
      if (now === undefined) return notSent('Cinder no longer knows the volume')
      if (now.updatedAt !== intent.volumeUpdatedAt)
        return notSent('the volume changed between preflight and call')
      return this.#ports.gatherer.isUnsafelyAttached(target, intent, now)
        ? notSent('the volume was attached between preflight and call')
        : undefined
    } catch (e) {
      return notSent(`Cinder does not answer: ${stable(messageOf(e))}`)
    }
  }
}

function notSent(message: string): ActAnswer {
  return { kind: 'NotSent', message }
}

function sightOf(v: CinderVolume): VolumeSight {
  const { status, typeId, typeName, updatedAt, availabilityZone, sizeGiB } = v
  if (typeId === '')
    return {
      kind: 'Unreadable',
      why: `Cinder does not say which volume type "${typeName}" is (an older server, or a type that this project may not see)`,
    }
  const attached = isAttached(v)
  return { kind: 'Seen', status, typeId, updatedAt, availabilityZone, sizeGiB, attached }
}
