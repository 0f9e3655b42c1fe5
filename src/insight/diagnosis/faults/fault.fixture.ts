import type { FindingCode } from '../catalogue.ts'
import { known } from '../fact.ts'
import { policy, type } from '../facts.fixture.ts'
import type { claim, Spoilt } from '../facts.fixture.ts'
import { NEEDED_RULES } from '../needed-rules.ts'

/** What is spoilt, the finding, and what its text or its fix must say. */
export type Fault = readonly [
  what: string,
  spoilt: Spoilt,
  code: FindingCode,
  what: string,
  fix: string,
]

export const pods = NEEDED_RULES.filter((r) => r.resource === 'pods')
export const intents = NEEDED_RULES.filter((r) => r.resource === 'volumemigrations/status')
export const login = {
  user: 'u',
  project: { id: 'p1', name: 'shop' },
  passwordEnd: undefined,
  tokenEnd: undefined,
}
export const app = { id: 'a1', name: 'operator', restricted: true }
export const withRoles = (...roles: string[]) => ({
  cloud: { login: known({ ...login, roles, applicationCredential: app }) },
})
export const fleet = (...claims: ReturnType<typeof claim>[]): Spoilt => ({ fleet: { claims } })
export const ofPolicy = (...args: Parameters<typeof policy>): Spoilt => ({
  cluster: { policies: known([policy(...args)]) },
})
export const workload = {
  name: 'w',
  wanted: 3,
  ready: 3,
  image: 'x:1.0.0',
  privileged: false,
  serviceAccount: '',
  asksForScrape: true,
  release: undefined,
}
export const line = (limit: number, inUse: number) => ({ limit, inUse, reserved: 0 })
export const specs = (extraSpecs: Record<string, string>, ...pools: string[]): Spoilt => ({
  cloud: {
    types: known([type('hot', { extraSpecs }), type('warm'), type('cold')]),
    pools: known(
      pools.map((backend) => ({
        name: backend,
        backend,
        capabilities: ['free_capacity_gb', 'volume_backend_name'],
      })),
    ),
  },
})
export const old = { cloud: { microversion: known([3, 70] as const) } }
export const tiers = (change: object): Spoilt => {
  const [hot, warm, cold] = policy().policy.spec.tiers
  return ofPolicy({ tiers: [hot!, { ...warm!, ...change }, cold!] })
}
