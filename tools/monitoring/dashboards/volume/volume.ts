import { annotation, dashboard } from '../dashboard.ts'
import { RATE } from '../promql.ts'
import { load } from './load.ts'
import { now } from './now.ts'
import { tier } from './tier.ts'
import { own, VARIABLES } from './variables.ts'

/** The volume is on a tier on which it was not a moment ago, and was known then. */
const moved = (() => {
  const tiers = `max by (volume_id, tier) (${own('info')})`
  const before = `max by (volume_id, tier) (${own('info')} offset ${RATE})`
  return `(${tiers} unless ${before}) and on (volume_id) ${before}`
})()

/** What one volume does, and where it is. */
export const VOLUME = dashboard({
  uid: 'couchestor-volume',
  title: 'CoucheStor / Volume',
  description: 'Operations, bytes and latency of one volume, its demand and its tier.',
  from: 'now-24h',
  refresh: '30s',
  variables: VARIABLES,
  annotations: [annotation('Moved', 'blue', moved, 'now on {{tier}}')],
  sections: [
    { title: 'Now', panels: now },
    { title: 'Load', panels: load },
    { title: 'Tier and demand', panels: tier },
  ],
})
