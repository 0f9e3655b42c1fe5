import type { Strategy } from '../strategy.ts'
import { nextRetypeStep } from './machine.ts'
import type { VolumeSight } from './machine.ts'
import { preflight } from './preflight.ts'
import type { PreflightFacts } from './preflight.ts'

/** One call: Cinder changes the type of the volume, and copies it to another backend where that is needed. */
export const CINDER_RETYPE: Strategy<PreflightFacts, VolumeSight> = {
  name: 'cinder-retype',
  preflight,
  next: nextRetypeStep,
}
