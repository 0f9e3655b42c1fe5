import type { Timer } from '../../clock.ts'
import { ConnectionLost } from '../connection-lost.ts'
import type { TextStream } from '../text-stream.ts'
import { textStream } from '../text-stream.ts'
import type { Change } from './collection.ts'
import type { Form } from './encode.ts'
import { metadataOnly } from './encode.ts'
import type { Scope } from './read.ts'
import { inNamespace, matches } from './read.ts'
import type { StatusError } from './status.ts'
import { expired } from './status.ts'
import type { Storage } from './storage.ts'
import { row } from './table.ts'
import type { Definition, KubeJson } from './types.ts'
import { apiVersionOf } from './types.ts'

const BOOKMARK_MS = 60_000
const DEFAULT_TIMEOUT_S = 1800

export type WatchQuery = {
  /** undefined: start with the objects there are. */
  readonly from: number | undefined
  readonly timeoutSeconds: number | undefined
  readonly bookmarks: boolean
  /** Mark the end of the first objects with a bookmark. */
  readonly sendInitialEvents: boolean
  readonly form: Form
}

type Kind = 'ADDED' | 'MODIFIED' | 'DELETED'

/** JSON of a change's object, made once for all watchers. */
const texts = new WeakMap<KubeJson, string>()

function textOf(object: KubeJson): string {
  let text = texts.get(object)
  if (text === undefined) texts.set(object, (text = JSON.stringify(object)))
  return text
}

/** One open watch. */
export class Watch {
  readonly def: Definition
  readonly body: TextStream
  readonly #storage: Storage
  readonly #scope: Scope
  readonly #query: WatchQuery
  readonly #unsubscribe: () => void
  readonly #signal: AbortSignal
  readonly #onAbort = () => this.end()
  readonly #onClose: () => void
  #timers: Timer[] = []
  #cut: { left: number; end: () => void } | undefined

  constructor(
    storage: Storage,
    def: Definition,
    scope: Scope,
    query: WatchQuery,
    signal: AbortSignal,
    onClose: (watch: Watch) => void,
  ) {
    this.#storage = storage
    this.def = def
    this.#scope = scope
    this.#query = query
    this.#signal = signal
    this.#onClose = () => onClose(this)
    this.body = textStream(() => this.#closed())
    const collection = storage.collection(def)
    this.#unsubscribe = collection.subscribe((change) => this.#send(change))
    signal.addEventListener('abort', this.#onAbort, { once: true })
    this.#startTimers()
  }

  /** Sends what happened before now. Apart from the constructor, so that a fault can be set first. */
  start() {
    const { from } = this.#query
    const collection = this.#storage.collection(this.def)
    if (from === undefined) return this.#sendInitial()
    const missed = from < this.#storage.compacted ? undefined : collection.since(from)
    if (missed === undefined) {
      const oldest = Math.max(collection.forgotten, this.#storage.compacted)
      return this.fail(expired(`too old resource version: ${from} (${oldest})`))
    }
    for (const change of missed) this.#send(change)
  }

  /** Ends the watch after so many events, for fault injection. */
  cut(afterEvents: number, how: 'end' | 'reset' | 'expired') {
    const end = () => {
      if (how === 'expired') this.fail(expired('too old resource version: cut by the simulator'))
      else this.end(how === 'reset' ? new ConnectionLost() : undefined)
    }
    if (afterEvents <= 0) return end()
    this.#cut = { left: afterEvents, end }
  }

  end(error?: Error) {
    this.body.end(error)
  }

  /** Ends the watch with an ERROR event, as the server does once a stream has begun. */
  fail(error: StatusError) {
    this.body.push(`{"type":"ERROR","object":${JSON.stringify(error.body)}}\n`)
    this.end()
  }

  #sendInitial() {
    for (const { key, object } of this.#storage.collection(this.def).list())
      if (inNamespace(this.#scope, key) && matches(this.#scope, object)) this.#push('ADDED', object)
    if (this.#query.sendInitialEvents) this.#bookmark({ 'k8s.io/initial-events-end': 'true' })
  }

  /** To a watch with a selector, an object that begins to match is added, and one that ceases to is deleted. */
  #send(change: Change) {
    if (!inNamespace(this.#scope, change.key)) return
    const { before, after } = change
    const was = before !== undefined && matches(this.#scope, before)
    const is = change.type !== 'DELETED' && matches(this.#scope, after)
    if (is) this.#push(was ? 'MODIFIED' : 'ADDED', after)
    else if (was)
      this.#push('DELETED', change.type === 'DELETED' ? after : lastSeen(before, change))
  }

  #push(type: Kind, object: KubeJson) {
    this.body.push(`{"type":"${type}","object":${this.#formed(object)}}\n`)
    if (this.#cut !== undefined && --this.#cut.left <= 0) this.#cut.end()
  }

  #formed(object: KubeJson): string {
    if (this.#query.form === 'metadata') return JSON.stringify(metadataOnly(object))
    if (this.#query.form === 'object') return textOf(object)
    const rows = [row(this.def, object, this.#storage.clock.now())]
    return JSON.stringify({
      kind: 'Table',
      apiVersion: 'meta.k8s.io/v1',
      metadata: {},
      columnDefinitions: [],
      rows,
    })
  }

  #bookmark(annotations?: Record<string, string>) {
    const object = {
      kind: this.def.kind,
      apiVersion: apiVersionOf(this.def),
      metadata: {
        resourceVersion: String(this.#storage.version),
        creationTimestamp: null,
        ...(annotations === undefined ? {} : { annotations }),
      },
    }
    this.body.push(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`)
  }

  #startTimers() {
    const { clock } = this.#storage
    const timeout = (this.#query.timeoutSeconds ?? DEFAULT_TIMEOUT_S) * 1000
    this.#timers = [clock.setTimer(timeout, () => this.end())]
    if (!this.#query.bookmarks) return
    const tick = () => {
      this.#bookmark()
      this.#timers[1] = clock.setTimer(BOOKMARK_MS, tick)
    }
    this.#timers[1] = clock.setTimer(BOOKMARK_MS, tick)
  }

  #closed() {
    for (const timer of this.#timers) timer.cancel()
    this.#unsubscribe()
    this.#signal.removeEventListener('abort', this.#onAbort)
    this.#onClose()
  }
}

function lastSeen(before: KubeJson, change: Change): KubeJson {
  return { ...before, metadata: { ...before.metadata, resourceVersion: String(change.rv) } }
}
