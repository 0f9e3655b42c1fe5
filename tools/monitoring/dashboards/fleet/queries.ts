import { riseBy, series } from '../promql.ts'
import { CONTROLLER, queryVariable } from '../variables.ts'

export const POLICY_VARIABLE = queryVariable({
  name: 'policy',
  label: 'Policy',
  query: `label_values(couchestor_policy_info{${CONTROLLER}}, policy)`,
  all: '.*',
})
/** Series of the controllers and policies that are chosen. */
export const POLICY = `${CONTROLLER}, policy=~"$policy"`

/** Each replica shows the same fleet: the highest of them, then the sum over clusters. */
export function once(by: string, own: string, selector: string): string {
  const each = `max by (cluster, ${own}) (${selector})`
  return by === '' ? `sum(${each})` : `sum by (${by}) (${each})`
}

/** Claims by `by`, of those that match. */
export const claimCount = (by: string, ...matchers: string[]) =>
  once(by, 'policy, reason', series('couchestor_claims', POLICY, ...matchers))
/** Cost per month in the unit of the prices. */
export const cost = (by: string, kind: 'now' | 'wanted' | 'fastest' | 'retention') =>
  once(by, 'policy', series('couchestor_monthly_cost', POLICY, `kind="${kind}"`))
/** Moves that may be running in Cinder. */
export const inFlight = (by: string) =>
  once(by, 'policy, step', series('couchestor_migrations_in_flight', POLICY))
/** Counter of moves that ended. */
export const ended = series('couchestor_migrations_total', POLICY)
/** A gauge by policy, summed over all policies that are chosen. */
export const all = (name: string) => once('', 'policy', series(name, POLICY))
/** What storage and throttling have cost in `window`, or would have with another strategy. */
export const shadow = (strategy: string, window: string) =>
  riseBy('', series('couchestor_shadow_cost_total', POLICY, `strategy="${strategy}"`), window)

export const MONEY = { unit: 'none', decimals: 2 } as const
