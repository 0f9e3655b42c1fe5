import { API_VERSION } from '../api/names.ts'
import type { TieringCheckpoint } from '../api/tiering-checkpoint.ts'
import { messageOf } from '../errors.ts'
import { nextTurn } from '../clock.ts'
import { TIERING_CHECKPOINT } from '../kube/resources.ts'
import { ApiError } from '../kube/types.ts'
import type { KubeClient } from '../kube/types.ts'
import type { Log } from '../log.ts'
import { packStates, unpackStates } from '../policy/state.ts'
import type { VolumeState } from '../policy/types.ts'
import { MOVES_IN_FLIGHT } from './ledger.ts'
import type { ResolvedPolicy } from './policies.ts'

/** What the engine remembers of one policy's volumes. Times in seconds. */
export type PolicyMemory = {
  readonly rule: string
  readonly states: Map<string, VolumeState>
  /** End of the last window that was asked and answered; undefined = none yet. */
  askedUntil: number | undefined
}

const KEEP_MS = 86_400_000

/** The engine's memory, kept in TieringCheckpoints so that a restart goes on where it stopped. */
export class Memory {
  readonly #client: KubeClient
  readonly #log: Log
  readonly #policies = new Map<string, PolicyMemory>()
  /** What is on the server: `policy` -> data per shard. */
  readonly #saved = new Map<string, string[]>()
  #checkpoints: readonly TieringCheckpoint[] = []

  constructor(client: KubeClient, log: Log) {
    this.#client = client
    this.#log = log
  }

  /** Reads all checkpoints once; unusable ones are told and forgotten. */
  async load(): Promise<void> {
    this.#checkpoints = await this.#list()
  }

  async #list(): Promise<TieringCheckpoint[]> {
    const all: TieringCheckpoint[] = []
    let next: string | undefined
    do {
      const page = await this.#client.list<TieringCheckpoint>(TIERING_CHECKPOINT, {
        limit: 20,
        ...(next === undefined ? {} : { continue: next }),
      })
      all.push(...page.items)
      next = page.continue
    } while (next !== undefined && next !== '')
    return all
  }

  /** The memory of that policy; a new one when tiers or constants are not those the numbers were made with. */
  of(policy: ResolvedPolicy): PolicyMemory {
    const known = this.#policies.get(policy.name)
    if (known?.rule === policy.rule) return known
    const memory = this.#fromCheckpoints(policy)
    this.#policies.set(policy.name, memory)
    return memory
  }

  #fromCheckpoints(policy: ResolvedPolicy): PolicyMemory {
    const empty: PolicyMemory = { rule: policy.rule, states: new Map(), askedUntil: undefined }
    const shards = this.#checkpoints.filter((c) => c.spec.policy === policy.name)
    const states = new Map<string, VolumeState>()
    for (const shard of shards) {
      const unpacked = unpackStates(shard.spec.data, policy.tiers?.length ?? 0, policy.rule)
      if (!unpacked.ok) {
        this.#log.info(
          { checkpoint: shard.metadata.name, reason: unpacked.reason },
          'checkpoint not used; history is read again',
        )
        return empty
      }
      for (const [id, state] of unpacked.states) states.set(id, state)
    }
    const ends = shards.map((s) => Date.parse(s.spec.windowEnd) / 1000)
    return ends.length === 0 ? empty : { rule: policy.rule, states, askedUntil: Math.min(...ends) }
  }

  /** Writes the shards that have changed; a failure is told and the next window tries again. */
  async save(policy: ResolvedPolicy): Promise<void> {
    const memory = this.#policies.get(policy.name)
    if (memory?.askedUntil === undefined || policy.tiers === undefined) return
    const windowEnd = new Date(memory.askedUntil * 1000).toISOString()
    const before = this.#saved.get(policy.name) ?? []
    try {
      let count = 0
      for (const shard of packStates(memory.states, policy.tiers.length, policy.rule)) {
        await nextTurn()
        const i = count++
        const mark = `${windowEnd} ${shard.data}`
        if (before[i] === mark) continue
        await this.#write(policy, i, shard, windowEnd)
        before[i] = mark
      }
      await this.#drop(policy.name, count)
      this.#saved.set(policy.name, before.slice(0, count))
    } catch (e) {
      this.#log.warn(
        { policy: policy.name, err: messageOf(e) },
        'checkpoint could not be saved; tried again after the next window',
      )
    }
  }

  async #write(
    policy: ResolvedPolicy,
    shard: number,
    packed: { data: string; volumes: number },
    windowEnd: string,
  ): Promise<void> {
    const object: TieringCheckpoint = {
      apiVersion: API_VERSION,
      kind: 'TieringCheckpoint',
      metadata: { name: `${policy.name}-${shard}` },
      spec: {
        policy: policy.name,
        shard,
        rule: policy.rule,
        windowEnd,
        volumes: packed.volumes,
        data: packed.data,
      },
    }
    await this.#client.patch(TIERING_CHECKPOINT, object.metadata.name, object, {
      type: 'apply',
      force: true,
    })
  }

  /** Shards of a time when there were more volumes. */
  async #drop(policy: string, count: number): Promise<void> {
    const extra = this.#checkpoints.filter((c) => c.spec.policy === policy && c.spec.shard >= count)
    for (const c of extra) await this.#remove(c)
    this.#checkpoints = this.#checkpoints.filter((c) => !extra.includes(c))
  }

  /**
   * Removes the checkpoints of policies that have been gone for a day; one that is deleted and applied again, as
   * GitOps does, keeps its history. `now` in ms.
   */
  async tidy(policies: ReadonlySet<string>, now: number): Promise<void> {
    for (const c of await this.#list()) {
      const isOurs = c.spec.policy !== MOVES_IN_FLIGHT
      const gone = !policies.has(c.spec.policy.replace(/\/shadow$/, ''))
      if (isOurs && gone && Date.parse(c.spec.windowEnd) < now - KEEP_MS) await this.#remove(c)
    }
  }

  async #remove({ metadata }: TieringCheckpoint): Promise<void> {
    try {
      await this.#client.delete(TIERING_CHECKPOINT, metadata.name)
    } catch (e) {
      if (!(e instanceof ApiError) || e.reason !== 'NotFound') throw e
    }
  }
}
