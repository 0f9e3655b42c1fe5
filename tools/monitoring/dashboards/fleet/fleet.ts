import { dashboard } from '../dashboard.ts'
import type { Section } from '../dashboard.ts'
import { moveAnnotations } from '../moves.ts'
import { CLUSTER_VARIABLE, JOB_VARIABLE } from '../variables.ts'
import { moves } from './moves.ts'
import { now } from './now.ts'
import { POLICY, POLICY_VARIABLE } from './queries.ts'
import { staying, usage } from './staying.ts'
import { tiers } from './tiers.ts'
import { volumes } from './volumes.ts'

const sections: readonly Section[] = [
  { title: 'Now', panels: now },
  { title: 'Tiers and money', panels: tiers },
  { title: 'Why volumes stay', panels: staying },
  { title: 'What is seen', panels: usage },
  { title: 'Moves', panels: moves },
  { title: 'Volumes', panels: volumes },
]

/** What the fleet costs, where its volumes are and why, and what was moved. */
export const FLEET = dashboard({
  uid: 'couchestor-fleet',
  title: 'CoucheStor / Fleet',
  description: 'Tiers, money and moves of all managed volumes, and why volumes stay.',
  from: 'now-7d',
  refresh: '1m',
  variables: [CLUSTER_VARIABLE, JOB_VARIABLE, POLICY_VARIABLE],
  annotations: moveAnnotations(POLICY),
  sections,
})
