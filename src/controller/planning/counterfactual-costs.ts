import type { Counter, Histogram } from 'prom-client'
import { API_VERSION } from '../../api/names.ts'
import { parseTieringCheckpoint } from '../../api/parse.ts'
import type { TieringCheckpoint } from '../../api/tiering-checkpoint.ts'
import { messageOf } from '../../errors.ts'
import { TIERING_CHECKPOINT } from '../../kube/resources.ts'
import { ApiError } from '../../kube/types.ts'
import type { KubeClient, KubeObject } from '../../kube/types.ts'
import type { Log } from '../../log.ts'
import {
  lastWeek,
  NO_SHADOW,
  packShadow,
  shadowMove,
  shadowWindow,
  unpackShadow,
} from '../../policy/shadow.ts'
import type { Shadow, ShadowMove, ShadowSample, Week } from '../../policy/shadow.ts'
import { checkpointBase } from './checkpoint-names.ts'
import type { ResolvedPolicy } from '../view/policies.ts'

type Book = { readonly rule: string; shadow: Shadow; saved: string }

type CostMetrics = { readonly shadowCost: Counter; readonly predictionError: Histogram }

/** What each policy would have cost had it done something simpler: counted window by window, kept in a checkpoint. */
export class CounterfactualCosts {
  readonly #client: KubeClient
  readonly #log: Log
  readonly #metrics: CostMetrics
  /** Throws when we do not lead any more. */
  readonly #fence: () => void
  readonly #books = new Map<string, Book>()

  readonly #onSave: (policy: ResolvedPolicy, e?: unknown) => void

  constructor(
    client: KubeClient,
    log: Log,
    metrics: CostMetrics,
    fence: () => void,
    onSave: (policy: ResolvedPolicy, e?: unknown) => void,
  ) {
    this.#fence = fence
    this.#onSave = onSave
    this.#client = client
    this.#log = log
    this.#metrics = metrics
  }

  /** Reads what is kept of that policy, once. Other tiers or prices make the numbers void. */
  async open(policy: ResolvedPolicy): Promise<void> {
    if (this.#books.get(policy.name)?.rule === policy.rule) return
    const data = await this.#read(policy)
    const shadow = (data === undefined ? undefined : unpackShadow(data)) ?? NO_SHADOW
    this.#books.set(policy.name, { rule: policy.rule, shadow, saved: data ?? '' })
    this.#count(policy, NO_SHADOW, shadow)
  }

  window(policy: ResolvedPolicy, samples: readonly ShadowSample[], windowEnd: number): void {
    const book = this.#books.get(policy.name)
    if (book === undefined || policy.tiers === undefined) return
    const hours = policy.effective.metrics.windowMs / 3_600_000
    const { tiers, constants } = policy
    const next = shadowWindow(book.shadow, samples, tiers, constants, hours, windowEnd)
    this.#advance(policy, book, next)
  }

  moved(policy: ResolvedPolicy, move: ShadowMove): void {
    const book = this.#books.get(policy.name)
    if (book === undefined || policy.tiers === undefined) return
    this.#advance(policy, book, shadowMove(book.shadow, move, policy.tiers, policy.constants))
  }

  forget(isKept: (policy: string) => boolean): void {
    for (const name of this.#books.keys()) if (!isKept(name)) this.#books.delete(name)
  }

  week(policy: string): Week | undefined {
    const book = this.#books.get(policy)
    return book && lastWeek(book.shadow)
  }

  /** Writes what has changed; a failure is reported and the next window tries again. */
  async save(policy: ResolvedPolicy): Promise<void> {
    const book = this.#books.get(policy.name)
    if (book === undefined || book.shadow === NO_SHADOW) return
    const data = packShadow(book.shadow)
    if (data === book.saved) return
    try {
      await this.#write(policy, book.shadow, data)
      book.saved = data
      this.#onSave(policy)
    } catch (e) {
      this.#onSave(policy, e)
      this.#log.warn(
        { policy: policy.name, err: messageOf(e) },
        'shadow costs could not be saved; tried again after the next window',
      )
    }
  }

  #advance(
    policy: ResolvedPolicy,
    book: Book,
    next: { readonly shadow: Shadow; readonly errors: readonly number[] },
  ): void {
    const before = book.shadow
    book.shadow = next.shadow
    this.#count(policy, before, next.shadow)
    for (const error of next.errors)
      this.#metrics.predictionError.observe({ policy: policy.name }, error)
  }

  #count({ name }: ResolvedPolicy, before: Shadow, after: Shadow): void {
    const add = (strategy: string, key: keyof Shadow['total']) =>
      this.#metrics.shadowCost.inc(
        { policy: name, strategy },
        Math.max(0, after.total[key] - before.total[key]),
      )
    add('policy', 'policy')
    add('all_hot', 'allHot')
    add('stay', 'stay')
  }

  async #read(policy: ResolvedPolicy): Promise<string | undefined> {
    try {
      const found = await this.#client.get<KubeObject>(TIERING_CHECKPOINT, nameOf(policy))
      const parsed = parseTieringCheckpoint(found)
      if (!parsed.ok || parsed.checkpoint.spec.rule !== policy.rule) return undefined
      return parsed.checkpoint.spec.data
    } catch (e) {
      if (e instanceof ApiError && e.reason === 'NotFound') return undefined
      throw e
    }
  }

  async #write(policy: ResolvedPolicy, shadow: Shadow, data: string): Promise<void> {
    const object: TieringCheckpoint = {
      apiVersion: API_VERSION,
      kind: 'TieringCheckpoint',
      metadata: { name: nameOf(policy) },
      spec: {
        // no policy's name has a slash: nobody takes it for a shard
        policy: `${policy.name}/shadow`,
        shard: 0,
        rule: policy.rule,
        windowEnd: new Date(shadow.windowEnd * 1000).toISOString(),
        volumes: shadow.origins.size,
        data,
      },
    }
    await this.#client.patch(TIERING_CHECKPOINT, object.metadata.name, object, {
      type: 'apply',
      force: true,
      fence: this.#fence,
    })
  }
}

/** Shards end in a hyphen and a number. */
function nameOf({ name }: ResolvedPolicy): string {
  return `${checkpointBase(name)}.shadow`
}
