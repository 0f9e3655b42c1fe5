import type { Mode } from '../api/storage-policy.ts'
import { blockOf, stated } from './blocker.ts'

export const stopped = stated(
  { Stopped: 'The global stop switch (migration.paused in config.yaml) is on.' },
  (f: { readonly stopped: boolean }) =>
    f.stopped
      ? { reason: 'Stopped', message: 'migration.paused in config.yaml stops every move' }
      : undefined,
)

export const policyPaused = stated(
  { PolicyPaused: 'The policy is paused (spec.paused).' },
  (f: { readonly name: string; readonly paused: boolean }) =>
    f.paused
      ? { reason: 'PolicyPaused', message: `policy ${f.name} is paused (spec.paused)` }
      : undefined,
)

/** `opensAt` in ms, while it is closed and will open again. */
export type Opening = { readonly open: boolean; readonly opensAt?: number }

export const schedule = stated(
  { OutsideSchedule: 'The schedule of the policy is closed now.' },
  (f: { readonly name: string; readonly schedule: Opening }) => {
    const { name } = f
    const { open, opensAt } = f.schedule
    if (open) return undefined
    return blockOf('OutsideSchedule', () => {
      const when = opensAt === undefined ? '' : `; it opens at ${new Date(opensAt).toISOString()}`
      return `the schedule of policy ${name} is closed${when}`
    })
  },
)

/** Of approvals and of forced tiers. */
export const NO_ADMISSION_POLICY = {
  NoAdmissionPolicy:
    'The API server offers no ValidatingAdmissionPolicy (Kubernetes before 1.30), so that nothing checks who approves a move or forces a tier; neither counts unless config.yaml has admission.accept_plain_rbac.',
} as const

/** Mode Approve asks a person. */
export const approval = stated(
  {
    ...NO_ADMISSION_POLICY,
    AwaitingApproval:
      'The policy requires approval (mode Approve), and the move is not approved yet.',
  },
  (f: {
    readonly mode: Mode
    readonly approved: boolean
    /** Why nobody can check who approves, where that is so and not accepted. */
    readonly unguarded: string | undefined
  }) => {
    if (f.mode !== 'Approve') return undefined
    if (f.unguarded !== undefined)
      return {
        reason: 'NoAdmissionPolicy',
        message: `spec.approved starts nothing: ${f.unguarded}`,
      }
    return f.approved
      ? undefined
      : { reason: 'AwaitingApproval', message: 'waits for spec.approved: true' }
  },
)

export const observing = stated(
  { Observe: 'The policy only observes (mode Observe).' },
  (f: {
    readonly name: string
    readonly mode: Mode
    /** Tier that it would move to. */
    readonly to: string
  }) =>
    f.mode === 'Observe'
      ? {
          reason: 'Observe',
          message: `policy ${f.name} only observes (mode Observe); it would move to ${f.to}`,
        }
      : undefined,
)
