import type { Group } from '../groups.ts'
import type { Facts } from '../facts.ts'
import type { Line } from '../finding.ts'
import { checkAgents } from './agents.ts'
import { checkAttached } from './attached.ts'
import { checkClaims } from './claims.ts'
import { checkClasses } from './classes.ts'
import { checkClocks } from './clocks.ts'
import { checkConfig } from './config.ts'
import { checkController } from './controller.ts'
import { checkCrds } from './crds.ts'
import { checkCredentials } from './credentials.ts'
import { checkEndpoints } from './endpoints.ts'
import { checkFleet } from './fleet.ts'
import { checkKubernetes } from './kubernetes.ts'
import { checkMetrics } from './metrics.ts'
import { checkMigrations } from './migrations.ts'
import { checkPolicies } from './policies.ts'
import { checkProject } from './project.ts'
import { checkQuota } from './quota.ts'
import { checkReplacements } from './replacements.ts'
import { checkRules } from './rules.ts'
import { checkScrape } from './scrape.ts'
import { checkTiers } from './tiers.ts'
import { checkTypes } from './types.ts'

/** A check is pure: facts in, lines out. */
export type Check = (facts: Facts) => readonly Line[]

export const CHECKS: Readonly<Record<Group, readonly Check[]>> = {
  scrape: [checkScrape],
  config: [checkConfig],
  kubernetes: [checkKubernetes],
  credentials: [checkCredentials],
  endpoints: [checkEndpoints],
  clocks: [checkClocks],
  types: [checkTiers, checkTypes],
  attached: [checkAttached],
  quota: [checkQuota],
  csi: [checkClasses],
  metrics: [checkMetrics],
  agents: [checkAgents],
  rbac: [checkRules],
  crds: [checkCrds],
  policies: [checkPolicies],
  claims: [checkClaims],
  fleet: [checkFleet],
  controller: [checkController],
  migrations: [checkMigrations],
  replacements: [checkReplacements],
  project: [checkProject],
}
