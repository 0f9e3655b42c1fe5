import { API_VERSION } from '../../api/names.ts'
import { parseTieringCheckpoint } from '../../api/parse.ts'
import { isOfPolicy } from '../../api/tiering-checkpoint.ts'
import type { TieringCheckpoint } from '../../api/tiering-checkpoint.ts'
import { messageOf } from '../../errors.ts'
import { yieldToEventLoop } from '../../clock.ts'
import type { Clock } from '../../clock.ts'
import { TIERING_CHECKPOINT } from '../../kube/resources.ts'
import { ApiError } from '../../kube/types.ts'
import type { KubeClient } from '../../kube/types.ts'
import type { Log } from '../../log.ts'
import { asKnownAt } from '../../policy/carry-over.ts'
import type { Earlier } from '../../policy/carry-over.ts'
import { packStates } from '../../policy/state.ts'
import type { PackedShard } from '../../policy/state.ts'
import type { VolumeState } from '../../policy/types.ts'
import { checkpointBase } from './checkpoint-names.ts'
import type { ResolvedPolicy } from '../view/policies.ts'
import { newestOf } from './shards.ts'

/** What the engine remembers of one policy's volumes. Times in seconds. */
export type PolicyMemory = {
  readonly rule: string
  /** Ids of the volume types of the tiers. */
  readonly types: readonly string[]
  readonly states: Map<string, VolumeState>
  /** Volumes whose history must be read again, since the rule has changed, with what they were. */
  readonly earlier: Map<string, Earlier>
  /** End of the last window that was asked and answered; undefined = none yet. */
  askedUntil: number | undefined
  /** Volumes whose numbers end earlier than `askedUntil`: their shard was not written the last time. */
  readonly behind: Map<string, number>
}

const KEEP_MS = 86_400_000

/** The engine's memory, kept in TieringCheckpoints so that a restart goes on where it stopped. */
export class CheckpointStore {
  readonly #client: KubeClient
  readonly #log: Log
  readonly #clock: Pick<Clock, 'now'>
  readonly #fence: () => void
  readonly #policies = new Map<string, PolicyMemory>()
  /** What is on the server: `policy` -> data by name, undefined for what an earlier process has written. */
  readonly #saved = new Map<string, Map<string, string | undefined>>()
  #checkpoints: readonly TieringCheckpoint[] = []

  readonly #onSave: (policy: ResolvedPolicy, e?: unknown) => void

  /** `fence` throws when we do not lead any more; `onSave` hears how saving a policy ended. */
  constructor(
    client: KubeClient,
    log: Log,
    clock: Pick<Clock, 'now'>,
    fence: () => void = () => {},
    onSave: (policy: ResolvedPolicy, e?: unknown) => void = () => {},
  ) {
    this.#onSave = onSave
    this.#client = client
    this.#log = log
    this.#clock = clock
    this.#fence = fence
  }

  /** Reads all checkpoints once; unusable ones are logged and forgotten. */
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
      for (const item of page.items) {
        const parsed = parseTieringCheckpoint(item)
        if (parsed.ok) all.push(parsed.checkpoint)
        else
          this.#log.warn(
            { checkpoint: item.metadata.name, why: parsed.problems.join('; ') },
            'checkpoint cannot be read; history is read again',
          )
      }
      next = page.continue
    } while (next !== undefined && next !== '')
    return all
  }

  /**
   * The memory of that policy. When the rule has changed, or the wall clock was set back behind the windows that are
   * counted, numbers are read again and facts stay.
   */
  of(policy: ResolvedPolicy): PolicyMemory {
    const known = this.#policies.get(policy.name)
    const isAhead = this.#isAhead(policy, known?.askedUntil ?? 0)
    if (known?.rule === policy.rule && !isAhead) return known
    if (isAhead)
      this.#log.warn(
        { policy: policy.name, countedUntil: new Date((known?.askedUntil ?? 0) * 1000) },
        'the wall clock was set back behind the usage counted so far: history is read again, and nothing moves down before',
      )
    const memory =
      known === undefined ? this.#fromCheckpoints(policy) : this.#readAnew(known, policy)
    this.#policies.set(policy.name, memory)
    return memory
  }

  /** By more than the clocks of two nodes, or the end of the present window, can explain. */
  #isAhead(policy: ResolvedPolicy, endSeconds: number): boolean {
    return endSeconds - policy.effective.metrics.windowMs / 1000 > this.#clock.now() / 1000
  }

  #fromCheckpoints(policy: ResolvedPolicy): PolicyMemory {
    const memory = emptyMemory(policy)
    const windowSeconds = policy.effective.metrics.windowMs / 1000
    const shards = this.#checkpoints.filter((c) => isShardOf(c, policy.name))
    const found = newestOf(shards, policy.rule, windowSeconds, (checkpoint, reason) =>
      this.#log.info({ checkpoint, reason }, 'checkpoint not used; history is read again'),
    )
    for (const [id, { end, ...entry }] of found) {
      if (entry.rule !== policy.rule || this.#isAhead(policy, end)) {
        memory.earlier.set(id, this.#asKnownNow(entry))
        continue
      }
      memory.states.set(id, entry.state)
      memory.behind.set(id, end)
      memory.askedUntil = Math.max(end, memory.askedUntil ?? end)
    }
    for (const [id, end] of memory.behind) if (end === memory.askedUntil) memory.behind.delete(id)
    return memory
  }

  #readAnew(known: PolicyMemory, policy: ResolvedPolicy): PolicyMemory {
    const memory = emptyMemory(policy)
    for (const [id, earlier] of known.earlier) memory.earlier.set(id, this.#asKnownNow(earlier))
    for (const [id, state] of known.states) {
      const earlier = { state, rule: known.rule, types: known.types }
      memory.earlier.set(id, this.#asKnownNow(earlier))
    }
    return memory
  }

  #asKnownNow(earlier: Earlier): Earlier {
    return { ...earlier, state: asKnownAt(earlier.state, Math.floor(this.#clock.now() / 1000)) }
  }

  /** Writes the shards that have changed; a failure is reported and the next window tries again. */
  async save(policy: ResolvedPolicy): Promise<void> {
    const memory = this.#policies.get(policy.name)
    if (memory?.askedUntil === undefined || policy.tiers === undefined) return
    const windowEnd = new Date(memory.askedUntil * 1000).toISOString()
    const saved = this.#savedOf(policy.name)
    try {
      const shards: PackedShard[] = []
      for (const shard of packStates(memory.states, policy.tiers.length, policy.rule)) {
        shards.push(shard)
        await yieldToEventLoop()
      }
      // a volume that goes to another shard is in both for a moment, rather than in none
      const order = [...shards.keys()]
      for (const i of shards.length >= saved.size ? order.toReversed() : order) {
        const name = shardName(policy.name, i)
        const mark = `${windowEnd} ${shards[i]!.data}`
        if (saved.get(name) === mark) continue
        await this.#write(policy, i, shards[i]!, windowEnd)
        saved.set(name, mark)
      }
      const names = new Set(order.map((i) => shardName(policy.name, i)))
      for (const name of saved.keys()) {
        if (names.has(name)) continue
        await this.#remove(name)
        saved.delete(name)
      }
      this.#onSave(policy)
    } catch (e) {
      this.#onSave(policy, e)
      this.#log.warn(
        { policy: policy.name, err: messageOf(e) },
        'checkpoint could not be saved; tried again after the next window',
      )
    }
  }

  #savedOf(policy: string): Map<string, string | undefined> {
    let saved = this.#saved.get(policy)
    if (saved === undefined) {
      const shards = this.#checkpoints.filter((c) => isShardOf(c, policy))
      saved = new Map(shards.map((c) => [c.metadata.name, undefined]))
      this.#saved.set(policy, saved)
    }
    return saved
  }

  async #write(
    policy: ResolvedPolicy,
    shard: number,
    packed: PackedShard,
    windowEnd: string,
  ): Promise<void> {
    const object: TieringCheckpoint = {
      apiVersion: API_VERSION,
      kind: 'TieringCheckpoint',
      metadata: { name: shardName(policy.name, shard) },
      spec: {
        policy: policy.name,
        shard,
        rule: policy.rule,
        tiers: typesOf(policy),
        windowEnd,
        volumes: packed.volumes,
        data: packed.data,
      },
    }
    await this.#client.patch(TIERING_CHECKPOINT, object.metadata.name, object, {
      type: 'apply',
      force: true,
      fence: this.#fence,
    })
  }

  /**
   * Removes the checkpoints, and what is remembered, of policies that have been gone for a day; one that is deleted and applied again, as
   * GitOps does, keeps its history. `now` in ms.
   */
  async tidy(policies: ReadonlySet<string>, now: number): Promise<void> {
    for (const { metadata, spec } of await this.#list()) {
      const gone = !policies.has(spec.policy.replace(/\/shadow$/, ''))
      if (!isOfPolicy({ metadata, spec }) || !gone) continue
      if (Date.parse(spec.windowEnd) < now - KEEP_MS) await this.#remove(metadata.name)
    }
    for (const [name, { askedUntil = 0 }] of this.#policies) {
      if (policies.has(name) || askedUntil * 1000 >= now - KEEP_MS) continue
      this.#policies.delete(name)
      this.#saved.delete(name)
      this.#checkpoints = this.#checkpoints.filter((c) => !isShardOf(c, name))
    }
  }

  /** Something is kept of that policy, which may be gone. */
  holds(policy: string): boolean {
    return this.#policies.has(policy)
  }

  async #remove(name: string): Promise<void> {
    this.#fence()
    try {
      await this.#client.delete(TIERING_CHECKPOINT, name)
    } catch (e) {
      if (!(e instanceof ApiError) || e.reason !== 'NotFound') throw e
    }
  }
}

function isShardOf(checkpoint: TieringCheckpoint, policy: string): boolean {
  return checkpoint.spec.policy === policy && isOfPolicy(checkpoint)
}

/** Shards end in a hyphen and a number. */
function shardName(policy: string, shard: number): string {
  return `${checkpointBase(policy)}-${shard}`
}

function typesOf(policy: ResolvedPolicy): readonly string[] {
  return (policy.tiers ?? []).map((t) => t.typeId)
}

function emptyMemory(policy: ResolvedPolicy): PolicyMemory {
  return {
    rule: policy.rule,
    types: typesOf(policy),
    states: new Map(),
    earlier: new Map(),
    askedUntil: undefined,
    behind: new Map(),
  }
}
