import type { Config } from '../../api/config.ts'
import type { Drift } from '../../controller/view/quota-drift.ts'

export type StorageMode = Config['openstack']['storageMode']

/** One key of Cinder's quota set: gigabytes or volumes, of a tier's type or of the project. Sizes GiB. */
export type QuotaRow = {
  readonly key: string
  /** Names that the policies give the tier; empty for the project as a whole. */
  readonly tiers: readonly string[]
  readonly type: string
  readonly typeId: string
  /** null = unlimited. */
  readonly limit: number | null
  readonly inUse: number
  readonly reserved: number
  /** Below zero where more is taken than the limit allows; null = unlimited. */
  readonly headroom: number | null
  /** By moves into the type that have not begun. */
  readonly wanted: number
  /** By moves out of it that have not begun. */
  readonly leaving: number
}

export type QuotaProposal = {
  readonly key: string
  /** null = none, unlimited. */
  readonly limit: number | null
  /** One sentence with the figures. */
  readonly text: string
  /** For an administrator of the cloud. */
  readonly command: string
}

export type QuotaReport = {
  readonly apiVersion: 'couchestor.io/v1alpha1'
  readonly kind: 'QuotaReport'
  readonly at: string
  readonly projectId: string
  readonly storageMode: StorageMode
  /** Why there are no rows; null when there are. */
  readonly unreadable: string | null
  readonly rows: readonly QuotaRow[]
  readonly proposals: readonly QuotaProposal[]
  /** What is not as the storage mode expects. */
  readonly warnings: readonly string[]
  /** What the reader must know of the plan to judge `wanted` and `leaving`. */
  readonly notices: readonly string[]
  /** Now. The controller reports it only where it lasts. */
  readonly drift: readonly Drift[]
  /** Repairs the drift; null without. */
  readonly driftFix: string | null
}
