import { sentenceOf } from '../../errors.ts'
import type { Config } from '../../api/config.ts'
import { effectivePolicy } from '../../api/effective-policy.ts'
import type { EffectivePolicy } from '../../api/effective-policy.ts'
import { ANNOTATION } from '../../api/names.ts'
import type { StayReason } from '../../api/reasons.ts'
import { isEmptySelector, matchesSelector } from '../../api/selector.ts'
import { constantsOf } from '../../policy/algorithm.ts'
import { resolveTiers } from '../../policy/resolve.ts'
import { ruleHash } from '../../policy/rule-hash.ts'
import type { RuleConstants, Tier } from '../../policy/types.ts'
import type { ControllerDeps } from '../deps.ts'
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

/** As of `at` (ms, undefined = not counted yet). */
export type Counts = {
  /** GiB of managed volumes by `policy/tier`. */
  readonly gib: ReadonlyMap<string, number>
  /** Number of managed volumes by policy. */
  readonly volumes: ReadonlyMap<string, number>
  /** GiB of all volumes of this cluster, managed or not, by the id of their type. */
  readonly gibByType: ReadonlyMap<string, number>
  /** Type that a volume in flight was counted on, by its id: Cinder shows the new one before the move has ended. */
  readonly movingOn: ReadonlyMap<string, string>
  readonly at: number | undefined
}

type Unmatched = { readonly reason: StayReason; readonly message: string }

export type Match =
  | { readonly policy: ResolvedPolicy; readonly alsoMatched: readonly string[] }
  | ({ readonly policy: undefined } & Unmatched)

const NO_POLICY: Match = {
  policy: undefined,
  reason: 'NoPolicy',
  message: 'no policy names or selects the claim',
}

/** All policies as they are now, and which of them manages a claim. */
export class Policies {
  readonly #deps: ControllerDeps
  readonly #watches: Watches
  readonly #inventory: Inventory
  #resolved = new Map<string, ResolvedPolicy>()
  #all: readonly ResolvedPolicy[] = []
  readonly #matches = new WeakMap<ResolvedPolicy, Match>()
  #counts: Counts = {
    gib: new Map(),
    volumes: new Map(),
    gibByType: new Map(),
    movingOn: new Map(),
    at: undefined,
  }

  constructor(deps: ControllerDeps, watches: Watches, inventory: Inventory) {
    this.#deps = deps
    this.#watches = watches
    this.#inventory = inventory
  }

  get(name: string): ResolvedPolicy | undefined {
    return this.#resolved.get(name)
  }

  all(): readonly ResolvedPolicy[] {
    return this.#all
  }

  /** Names of the tiers by policy, whether they can be resolved or not. */
  tierNames(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.#tierNames
  }
  #tierNames: ReadonlyMap<string, ReadonlySet<string>> = new Map()

  gibOnTier(policy: string, tier: string): number {
    return this.#counts.gib.get(`${policy}/${tier}`) ?? 0
  }

  /** Of all volumes of this cluster on that type. */
  gibOfType(typeId: string): number {
    return this.#counts.gibByType.get(typeId) ?? 0
  }

  /** True when the volume of a running move was counted on the type that it goes to. */
  isCountedOn(volumeId: string, typeId: string): boolean {
    return this.#counts.movingOn.get(volumeId) === typeId
  }

  volumesOf(policy: string): number {
    return this.#counts.volumes.get(policy) ?? 0
  }

  get countedAt(): number | undefined {
    return this.#counts.at
  }

  setCounts(counts: Counts): void {
    this.#counts = counts
  }

  /**
   * Works in what has changed: policies, config, StorageClasses, volume types. A policy that none of it concerns stays the
   * very same object, and with it what is kept of it, such as the next opening of its schedule.
   */
  refresh(): void {
    const config = this.#deps.config()
    const around = this.#around()
    const next = new Map<string, ResolvedPolicy>()
    const inputs = new Map<string, string>()
    for (const watched of this.#watches.policies.store.values()) {
      const { name, deletionTimestamp } = watched.policy.metadata
      // it may stay for its finalizers; its tenants see that it is gone, and nothing starts by it
      if (deletionTimestamp !== undefined) continue
      const input = around + inputOf(watched)
      const before = this.#resolved.get(name)
      const isSame =
        before !== undefined && config === this.#config && this.#inputs.get(name) === input
      next.set(name, isSame ? before : this.#resolve(watched))
      inputs.set(name, input)
    }
    this.#resolved = next
    this.#all = [...next.values()]
    this.#tierNames = new Map(this.#all.map((p) => [p.name, namesOf(p)]))
    this.#config = config
    this.#inputs = inputs
  }
  #config: Config | undefined
  /** By policy, what it was resolved from besides the config. */
  #inputs: ReadonlyMap<string, string> = new Map()

  #around(): string {
    const { types, problem } = this.#inventory
    const classes = [...this.#watches.classes.store.values()].map((c) => [c.name, c.type])
    return JSON.stringify([types.length === 0 ? problem : types, classes])
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
      return {
        ...base,
        ...known,
        problems: resolved.problems.map(sentenceOf),
        problem: resolved.reason,
      }
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
    let first: ResolvedPolicy | undefined
    let more: ResolvedPolicy[] | undefined
    for (const p of this.#all) {
      if (!this.#selects(p, claim) || this.#covers(p, claim) !== true) continue
      if (first === undefined) first = p
      else (more ??= [first]).push(p)
    }
    if (more !== undefined) {
      const [best, ...rest] = more.toSorted(byPrecedence)
      return { policy: best!, alsoMatched: rest.map((p) => p.name) }
    }
    return first === undefined ? NO_POLICY : this.#alone(first)
  }

  /** One object per policy: thousands of claims are matched in every pass. */
  #alone(policy: ResolvedPolicy): Match {
    let match = this.#matches.get(policy)
    if (match === undefined) this.#matches.set(policy, (match = { policy, alsoMatched: [] }))
    return match
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
    if (covered === true) return this.#alone(policy)
    return {
      policy: undefined,
      ...(covered === 'unknown' ? namespacesUnknown(name) : notCovered(name, claim)),
    }
  }

  /**
   * What stands against a move by that policy's tiers of a claim that no policy manages; undefined = nothing. Naming
   * a policy beats its selectors, inside its namespaces only, as the annotation does.
   */
  mayTake(policy: ResolvedPolicy, claim: Claim): Unmatched | undefined {
    const unknown = [policy, ...this.#resolved.values()].find(
      (p) => (p === policy || this.#selects(p, claim)) && this.#covers(p, claim) === 'unknown',
    )
    if (unknown !== undefined) return namespacesUnknown(unknown.name)
    return this.#covers(policy, claim) === true ? undefined : notCovered(policy.name, claim)
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

/** Those of a policy that cannot be used are not read. */
function namesOf({ watched, tiers }: ResolvedPolicy): ReadonlySet<string> {
  const usable = watched.problems.length === 0 ? watched.policy.spec.tiers : []
  return new Set((tiers ?? usable).map((t) => t.name))
}

/** All of a policy but its status. */
function inputOf({ policy, problems }: WatchedPolicy): string {
  const { uid, generation, creationTimestamp } = policy.metadata
  return JSON.stringify([uid, generation, creationTimestamp, policy.spec, problems])
}

function namespacesUnknown(policy: string): Unmatched {
  return {
    reason: 'MissingPermission',
    message: `the namespaceSelector of policy ${policy} needs the right to list namespaces`,
  }
}

function notCovered(policy: string, { namespace }: Claim): Unmatched {
  return {
    reason: 'PolicyConflict',
    message: `policy ${policy} does not cover namespace ${namespace} (namespaceSelector)`,
  }
}

function byPrecedence(a: ResolvedPolicy, b: ResolvedPolicy): number {
  const priority = b.effective.priority - a.effective.priority
  if (priority !== 0) return priority
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? -1 : 1
  return a.name < b.name ? -1 : 1
}
