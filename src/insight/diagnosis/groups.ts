/** Headings of the output, in its order. */
export const GROUPS = {
  scrape: 'First of all',
  config: 'Configuration',
  kubernetes: 'Kubernetes',
  credentials: 'OpenStack credential',
  endpoints: 'OpenStack endpoints',
  clocks: 'Clocks',
  types: 'Volume types and tiers',
  attached: 'Moving attached volumes',
  quota: 'Quota',
  csi: 'CSI driver and StorageClasses',
  metrics: 'Usage numbers',
  agents: 'Agents',
  rbac: 'Permissions of the controller',
  crds: 'CustomResourceDefinitions',
  policies: 'Policies',
  claims: 'Claims',
  fleet: 'Fleet',
  controller: 'Controller',
  migrations: 'Migrations',
  replacements: 'Replaced volumes',
  project: 'OpenStack project',
} as const
export type Group = keyof typeof GROUPS

/** problem: something does not work, or will fail. warning: it works, worse than it could. unknown: not checked. */
export type Severity = 'problem' | 'warning' | 'unknown'

export type CatalogueEntry = {
  readonly group: Group
  readonly severity: Severity
  /** One sentence for the reference: when it is reported. */
  readonly meaning: string
  /** Why it matters. */
  readonly why: string
  /** What to do, where the case at hand has nothing more exact. */
  readonly fix: string
}
