import type { StayReason } from '../../api/reasons.ts'
import { yieldToEventLoop } from '../../clock.ts'
import type { Match, Policies, ResolvedPolicy } from './policies.ts'
import type { Claim } from './projections.ts'
import type { BoundClaim, Targets } from './targets.ts'
import type { Watches } from './watches.ts'

/** Claims processed between two turns: some milliseconds. */
const SLICE = 500

export type ManagedClaim = {
  /** `namespace/name`. */
  readonly key: string
  readonly claim: Claim
  readonly match: Match
  readonly bound: BoundClaim | undefined
}

export type BoundManagedClaim = ManagedClaim & { readonly bound: BoundClaim }

/** Which claims belong to which policy, from the caches alone. */
export class Managed {
  readonly #watches: Watches
  readonly #policies: Policies
  readonly #targets: Targets

  constructor(watches: Watches, policies: Policies, targets: Targets) {
    this.#watches = watches
    this.#policies = policies
    this.#targets = targets
  }

  claim(key: string): ManagedClaim | undefined {
    const claim = this.#watches.claims.store.get(key)
    return claim === undefined ? undefined : this.#managed(key, claim)
  }

  /** Every claim with its policy; the caller decides when to let others run. */
  *all(): IterableIterator<ManagedClaim> {
    const { store } = this.#watches.claims
    for (const key of store.keys()) {
      // as it is now: the caller may have let others run since it began
      const claim = store.get(key)
      if (claim !== undefined) yield this.#managed(key, claim)
    }
  }

  /** Claims of one policy that are bound to a volume of Cinder; leases and probes get their turn in between. */
  async of(policy: ResolvedPolicy): Promise<readonly BoundManagedClaim[]> {
    const found: BoundManagedClaim[] = []
    let seen = 0
    for (const managed of this.all()) {
      const { match, bound } = managed
      if (match.policy?.name === policy.name && bound !== undefined)
        found.push({ ...managed, bound })
      if (++seen % SLICE === 0) await yieldToEventLoop()
    }
    return found
  }

  /** Whether anything at all is managed: without, nobody is asked for usage numbers. */
  any(): boolean {
    return this.#policies.all().length > 0
  }

  #managed(key: string, claim: Claim): ManagedClaim {
    return { key, claim, match: this.#policies.match(claim), bound: this.#targets.bound(claim) }
  }
}

/** Why no policy has a say in the claim. */
export function unmanagedReason({ match }: Pick<ManagedClaim, 'match'>): StayReason {
  return match.policy === undefined ? match.reason : 'TiersUnresolved'
}
