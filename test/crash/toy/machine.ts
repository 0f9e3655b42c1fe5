import { nextRetypeStep } from '../../../src/migration/retype/machine.ts'
import type { VolumeSight } from '../../../src/migration/retype/machine.ts'
import { preflight } from '../../../src/migration/retype/preflight.ts'
import type { PreflightFacts } from '../../../src/migration/retype/preflight.ts'
import type { MachineInput, Outcome, Strategy } from '../../../src/migration/strategy.ts'

/** What one read shows: whether the first act has had its effect, and the volume. */
export type ToySight = VolumeSight & { readonly isShelved?: boolean }

/** Two acts: something is made under a name of the move's own, then the volume is retyped. */
export const TOY: Strategy<PreflightFacts, ToySight> = {
  name: 'snapshot-restore',
  preflight,
  next(input) {
    const { step = 'Waiting', intent } = input.status
    if (step === 'Waiting') return { kind: 'act', act: 'createSnapshot' }
    if (step === 'Requested' && intent?.act === 'createSnapshot') return shelving(input)
    return nextRetypeStep(input)
  },
}

function shelving({ status, sight, now, quietUntil }: MachineInput<ToySight>): Outcome {
  if (status.call?.kind === 'Accepted') return { kind: 'act', act: 'retype' }
  if (sight === undefined) return { kind: 'look' }
  if (sight.kind === 'Unreadable') return { kind: 'wait', ms: 5_000, why: sight.why }
  if (sight.isShelved) return { kind: 'act', act: 'retype' }
  if (now < quietUntil) return { kind: 'wait', ms: quietUntil - now, why: 'it may yet be made' }
  return { kind: 'goto', step: 'Waiting', reason: 'NotSent', message: 'nothing was made' }
}
