import type { VolumeMigration } from '../../api/volume-migration.ts'
import type { Refusal } from '../moving/admission.ts'
import { FORCED_WAITS } from '../moving/places.ts'
import type { Verdicts } from '../moving/start-gate.ts'
import type { Managed } from '../view/managed.ts'
import type { Target } from '../view/targets.ts'
import type { Watches } from '../view/watches.ts'
import type { DecisionInputs, Judged } from './decision-inputs.ts'

export type StillWantedParts = {
  readonly managed: Managed
  readonly decisionInputs: DecisionInputs
  readonly watches: Pick<Watches, 'attachments'>
}

/** The verdict taken again right before a move starts: what was planned an hour ago may not be wanted any more. */
export class StillWanted implements Verdicts {
  readonly #parts: StillWantedParts

  constructor(parts: StillWantedParts) {
    this.#parts = parts
  }

  stillWanted(m: VolumeMigration, target: Target): Refusal | undefined {
    const { reason } = m.spec
    if (reason !== 'Policy' && reason !== 'Forced') return undefined
    const managed = this.#parts.managed.claim(`${target.claim.namespace}/${target.claim.name}`)
    const judged = managed && this.#parts.decisionInputs.judge(managed, m)
    if (judged === undefined)
      return {
        reason: 'NoLongerWanted',
        message: `no usable policy manages claim ${target.claim.name} any more`,
      }
    if (judged.policy.name !== m.spec.policy)
      return {
        reason: 'NoLongerWanted',
        message: `policy ${judged.policy.name} manages claim ${target.claim.name}, not ${m.spec.policy}`,
      }
    if (reason === 'Forced' && !judged.forced)
      return {
        reason: 'NoLongerWanted',
        message: 'no couchestor.io/force-tier asks for it any more; the policy decides again',
      }
    const { verdict } = judged
    // a list may lack it for once; the volume itself is read before anything is sent
    if (verdict.kind === 'stay' && verdict.reason === 'VolumeGone') return undefined
    const to = verdict.kind === 'move' ? verdict.to : verdict.wants
    const wanted = to !== undefined && judged.tiers[to]?.name === m.spec.to
    const unknown =
      reason === 'Policy' ? this.#parts.decisionInputs.catchingUp(judged.policy.name) : undefined
    if (!wanted && unknown !== undefined) return unknown
    if (!wanted)
      return {
        reason: 'NoLongerWanted',
        message: `${m.spec.to} is not wanted any more: ${verdict.message}`,
      }
    // what Cinder says against it is asked again by preflight
    if (verdict.kind === 'move' || (FORCED_WAITS.has(verdict.reason) && !this.#isHeld(judged)))
      return undefined
    return { reason: verdict.reason, message: verdict.message }
  }

  /** Kubernetes itself shows the attachment that stands in the way: no need to ask Cinder again and again. */
  #isHeld({ verdict, managed }: Judged): boolean {
    const { attachments } = this.#parts.watches
    const pv = managed.bound?.volume.name ?? ''
    return (
      verdict.kind === 'stay' &&
      verdict.reason === 'Attached' &&
      attachments.store.byIndex('volumeName', pv).length > 0
    )
  }
}
