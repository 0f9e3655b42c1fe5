import type { ManagedClaim } from '../view/managed.ts'
import type { Judged } from './decision-inputs.ts'

/** Hears of each verdict; what of it a person should hear is decided there. */
export interface VerdictReports {
  verdict(key: string, judged: Judged, nowSeconds: number): void
  /** No usable policy manages the claim. */
  unmatched(key: string, managed: ManagedClaim, nowSeconds: number): void
  /** The claim is gone. */
  forget(key: string): void
}
