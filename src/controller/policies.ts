import { effectivePolicy } from '../api/effective-policy.ts'
import type { EffectivePolicy } from '../api/effective-policy.ts'
import { ANNOTATION } from '../api/names.ts'
import type { StayReason } from '../api/reasons.ts'
import { isEmptySelector, matchesSelector } from '../api/selector.ts'
import { constantsOf } from '../policy/algorithm.ts'
import { resolveTiers } from '../policy/resolve.ts'
import { ruleHash } from '../policy/rule-hash.ts'
import type { RuleConstants, Tier } from '../policy/types.ts'
import type { ControllerDeps } from './deps.ts'
import type { Inventory } from './inventory.ts'
import type { Claim } from './projections.ts'
import type { WatchedPolicy, Watches } from './watches.ts'

/** A policy with config, StorageClasses and Cinder's types worked in. */
export type ResolvedPolicy = {
  readonly name: string
  readonly uid: string
  readonly generation: number
  readonly createdAt: string
  readonly watched: WatchedPolicy
  readonly effective: EffectivePolicy
  readonly constants: RuleConstants
  /** undefined while they cannot be resolved; `problems` say why. */
  readonly tiers: readonly Tier[] | undefined
  readonly pricesAssumed: boolean
  readonly problems: readonly string[]
  /** Reason of the condition TiersResolved when it is False. */
  readonly problem: string
  /** Hash of what the engine's numbers depend on. */
  readonly rule: string
}

/** Managed volumes as of `at` (ms): GiB by `policy/tier`, and their number by policy. */
export type Counts = {
  readonly gib: ReadonlyMap<string, number>
  readonly volumes: ReadonlyMap<string, number>
  readonly at: number
}

export type Match =
  | { readonly policy: ResolvedPolicy; readonly alsoMatched: readonly string[] }
  | { readonly policy: undefined; readonly reason: StayReason; readonly message: string }

/** All policies as they are now, and which of them manages a claim. */
export class Policies {
  readonly #deps: ControllerDeps
  readonly #watches: Watches
  readonly #inventory: Inventory
  #resolved = new Map<string, ResolvedPolicy>()
  #counts: Counts = { gib: new Map(), volumes: new Map(), at: 0 }

  constructor(deps: ControllerDeps, watches: Watches, inventory: Inventory) {
    this.#deps = deps
    this.#watches = watches
    this.#inventory = inventory
  }

  get(name: string): ResolvedPolicy | undefined {
    return this.#resolved.get(name)
  }

  all(): readonly ResolvedPolicy[] {
    return [...this.#resolved.values()]
  }

  gibOnTier(policy: string, tier: string): number {
    return this.#counts.gib.get(`${policy}/${tier}`) ?? 0
  }

  volumesOf(policy: string): number {
    return this.#counts.volumes.get(policy) ?? 0
  }

  get countedAt(): number {
    return this.#counts.at
  }

  setCounts(counts: Counts): void {
    this.#counts = counts
  }

  /** Works in what has changed: policies, config, StorageClasses, volume types. */
  refresh(): void {
    const next = new Map<string, ResolvedPolicy>()
    for (const watched of this.#watches.policies.store.values()) {
      const { name } = watched.policy.metadata
      next.set(name, this.#resolve(watched))
    }
    this.#resolved = next
  }

  #resolve(watched: WatchedPolicy): ResolvedPolicy {
    const { metadata, spec } = watched.policy
    const config = this.#deps.config()
    const known = {
      problems: watched.problems,
      problem: 'NoVolumeType',
      tiers: undefined,
      pricesAssumed: false,
      rule: '',
    }
    const effective = effectivePolicy(watched.problems.length > 0 ? { tiers: [] } : spec, config)
    const constants = constantsOf(effective.decision)
    const base = {
      name: metadata.name,
      uid: metadata.uid ?? '',
      generation: metadata.generation ?? 0,
      createdAt: metadata.creationTimestamp ?? '',
      watched,
      effective,
      constants,
    }
    if (watched.problems.length > 0) return { ...base, ...known }
    if (this.#inventory.types.length === 0)
      return {
        ...base,
        ...known,
        problems: [this.#inventory.problem ?? 'Cinder lists no volume types'],
      }
    const resolved = resolveTiers({
      tiers: spec.tiers,
      configTiers: config.tiers,
      storageClasses: new Map(
        [...this.#watches.classes.store.values()].map((c) => [c.name, c.type]),
      ),
      volumeTypes: this.#inventory.types,
    })
    if (!resolved.ok)
      return { ...base, ...known, problems: resolved.problems, problem: resolved.reason }
    return {
      ...base,
      problems: [],
      problem: '',
      tiers: resolved.tiers,
      pricesAssumed: resolved.pricesAssumed,
      rule: ruleHash(resolved.tiers, constants, effective.metrics.ioUnitKiB),
    }
  }

  /** The annotation beats selectors, inside the policy's namespaces only; then priority, age, name. */
  match(claim: Claim): Match {
    const named = claim.annotations[ANNOTATION.policy]
    if (named === 'none')
      return {
        policy: undefined,
        reason: 'OptedOut',
        message: 'opted out by couchestor.io/policy: none',
      }
    if (named !== undefined) return this.#named(named, claim)
    const matching: ResolvedPolicy[] = []
    for (const p of this.#resolved.values())
      if (this.#selects(p, claim) && this.#covers(p, claim) === true) matching.push(p)
    const [first, ...rest] = matching.length > 1 ? matching.toSorted(byPrecedence) : matching
    if (first === undefined)
      return {
        policy: undefined,
        reason: 'NoPolicy',
        message: 'no policy names or selects the claim',
      }
    return { policy: first, alsoMatched: rest.map((p) => p.name) }
  }

  #named(name: string, claim: Claim): Match {
    const policy = this.#resolved.get(name)
    if (policy === undefined)
      return {
        policy: undefined,
        reason: 'PolicyNotFound',
        message: `couchestor.io/policy names "${name}"; there is no such StoragePolicy`,
      }
    const covered = this.#covers(policy, claim)
    if (covered === true) return { policy, alsoMatched: [] }
    return covered === 'unknown'
      ? {
          policy: undefined,
          reason: 'MissingPermission',
          message: 'namespaceSelector needs the right to list namespaces',
        }
      : {
          policy: undefined,
          reason: 'PolicyConflict',
          message: `policy ${name} does not cover namespace ${claim.namespace}`,
        }
  }

  /** An empty selector never means the whole cluster. */
  #selects(policy: ResolvedPolicy, claim: Claim): boolean {
    const { selector, storageClassNames } = policy.watched.policy.spec
    const bySelector = selector !== undefined && !isEmptySelector(selector)
    const byClass = storageClassNames !== undefined && storageClassNames.length > 0
    if (!bySelector && !byClass) return false
    if (bySelector && !matchesSelector(selector, claim.labels)) return false
    return !byClass || storageClassNames.includes(claim.storageClass)
  }

  #covers(policy: ResolvedPolicy, claim: Claim): boolean | 'unknown' {
    const { namespaceSelector } = policy.watched.policy.spec
    if (namespaceSelector === undefined || isEmptySelector(namespaceSelector)) return true
    const namespace = this.#watches.namespaces.store.get(claim.namespace)
    if (namespace === undefined) return 'unknown'
    return matchesSelector(namespaceSelector, namespace.labels)
  }
}

function byPrecedence(a: ResolvedPolicy, b: ResolvedPolicy): number {
  const priority = b.effective.priority - a.effective.priority
  if (priority !== 0) return priority
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? -1 : 1
  return a.name < b.name ? -1 : 1
}
