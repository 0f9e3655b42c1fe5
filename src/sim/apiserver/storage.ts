import type { Clock } from '../../clock.ts'
import type { Change } from './collection.ts'
import { Collection } from './collection.ts'
import type { CustomResourceDefinition } from './custom-resource.ts'
import { customResources } from './custom-resource.ts'
import type { Definition, KubeJson } from './types.ts'
import { apiVersionOf, keyOf, resourceName } from './types.ts'

/** Names after `generateName` use the real server's letters: no vowels, nothing that reads as another. */
const SUFFIX_LETTERS = 'bcdfghjklmnpqrstvwxz2456789'

/** Everything that is stored, and the one counter of versions over all of it. */
export class Storage {
  readonly clock: Clock
  readonly #collections = new Map<string, Collection>()
  readonly #definitions = new Map<string, Definition>()
  readonly #byKind = new Map<string, Definition>()
  readonly #historyLimit: number
  readonly #cluster: string
  #version = 0
  #compacted = 0
  #uids = 0
  #suffixes = 0
  #second = NaN
  #secondText = ''

  constructor(clock: Clock, historyLimit: number, seed: number, kinds: readonly Definition[]) {
    this.clock = clock
    this.#historyLimit = historyLimit
    this.#cluster = seed.toString(16).padStart(8, '0')
    for (const def of kinds) this.define(def)
  }

  get version(): number {
    return this.#version
  }

  /** Versions up to this one can no longer be listed or watched from. */
  get compacted(): number {
    return this.#compacted
  }

  define(def: Definition) {
    this.#definitions.set(definitionKey(def.group, def.version, def.plural), def)
    this.#byKind.set(`${apiVersionOf(def)} ${def.kind}`, def)
    // versions of one resource share their objects
    const name = resourceName(def)
    if (!this.#collections.has(name))
      this.#collections.set(name, new Collection(this.#historyLimit))
  }

  defineCustom(crd: CustomResourceDefinition) {
    for (const def of customResources(crd)) this.define(def)
  }

  forget(crd: CustomResourceDefinition) {
    for (const def of customResources(crd)) {
      this.#definitions.delete(definitionKey(def.group, def.version, def.plural))
      this.#byKind.delete(`${apiVersionOf(def)} ${def.kind}`)
      this.#collections.delete(resourceName(def))
    }
  }

  definition(group: string, version: string, plural: string): Definition | undefined {
    return this.#definitions.get(definitionKey(group, version, plural))
  }

  definitions(): Definition[] {
    return [...this.#definitions.values()]
  }

  definitionOf(object: { readonly apiVersion?: unknown; readonly kind?: unknown }): Definition {
    const def = this.#byKind.get(`${String(object.apiVersion)} ${String(object.kind)}`)
    if (def === undefined)
      throw new Error(
        `no resource serves ${String(object.apiVersion)} ${String(object.kind)}: pass its CRD to createApiServer`,
      )
    return def
  }

  collection(def: Definition): Collection {
    return this.#collections.get(resourceName(def))!
  }

  get(def: Definition, namespace: string | undefined, name: string): KubeJson | undefined {
    return this.collection(def).get(keyOf(namespace, name))
  }

  /** Stores the object under the next version and notifies the watchers. Returns it as stored. */
  commit(def: Definition, type: Change['type'], object: KubeJson): KubeJson {
    const rv = ++this.#version
    const key = keyOf(object.metadata.namespace, object.metadata.name)
    const collection = this.collection(def)
    const after = { ...object, metadata: { ...object.metadata, resourceVersion: String(rv) } }
    collection.apply({ rv, type, key, before: collection.get(key), after })
    return after
  }

  compact() {
    this.#compacted = this.#version
    for (const collection of this.#collections.values()) collection.compact(this.#version)
  }

  get watchers(): number {
    return [...this.#collections.values()].reduce((sum, c) => sum + c.watchers, 0)
  }

  timestamp(afterSeconds = 0): string {
    const second = Math.floor(this.clock.now() / 1000) + afterSeconds
    if (second !== this.#second) {
      this.#second = second
      this.#secondText = `${new Date(second * 1000).toISOString().slice(0, 19)}Z`
    }
    return this.#secondText
  }

  uid(): string {
    return `${this.#cluster}-0000-4000-8000-${(++this.#uids).toString(16).padStart(12, '0')}`
  }

  suffix(): string {
    let rest = ++this.#suffixes * 7919
    let text = ''
    for (let i = 0; i < 5; i++) {
      text += SUFFIX_LETTERS[rest % SUFFIX_LETTERS.length]
      rest = Math.floor(rest / SUFFIX_LETTERS.length)
    }
    return text
  }
}

function definitionKey(group: string, version: string, plural: string): string {
  return `${group}/${version}/${plural}`
}
