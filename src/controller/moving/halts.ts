import { ANNOTATION } from '../../api/names.ts'
import type { VolumeMigration } from '../../api/volume-migration.ts'
import { messageOf } from '../../errors.ts'
import { NAMESPACE } from '../../kube/resources.ts'
import { isForbidden } from '../../kube/missing-right.ts'
import { ApiError, LostLeaseError } from '../../kube/types.ts'
import type { KubeObject } from '../../kube/types.ts'
import type { ControllerDeps } from '../deps.ts'
import type { Halt, Ledger, LedgerEntry } from './ledger.ts'
import type { Migrations } from '../view/migrations.ts'
import type { Watches } from '../view/watches.ts'

export type HaltsParts = {
  readonly deps: Pick<ControllerDeps, 'kube' | 'log' | 'clock'>
  readonly ledger: Ledger
  readonly migrations: Migrations
  readonly watches: Pick<Watches, 'policies'>
  readonly onLifted: () => void
}

/**
 * Ends that nothing explains, on record outside any namespace: its owner may delete a namespace at any time, and only a
 * person who has checked may lift the halt.
 */
export class Halts {
  readonly #parts: HaltsParts

  constructor(parts: HaltsParts) {
    this.#parts = parts
  }

  /** Halts from now on. False when the record could not be written yet: the VolumeMigration alone holds it until then. */
  async record(m: VolumeMigration): Promise<boolean> {
    const { ledger, deps } = this.#parts
    const { uid = '', name, namespace = '' } = m.metadata
    const { intent, volumeId = '', completedAt } = m.status ?? {}
    const known = ledger.halts().find((h) => h.uid === uid)
    try {
      const namespaceUid = known === undefined ? await this.#uidOf(namespace) : undefined
      await ledger.halt(
        known ?? {
          uid,
          namespace,
          ...(namespaceUid === undefined ? {} : { namespaceUid }),
          migration: name,
          policy: m.spec.policy,
          volumeId,
          fromTypeId: intent?.fromTypeId ?? '',
          toTypeId: intent?.toTypeId ?? '',
          at: completedAt ?? new Date(deps.clock.now()).toISOString(),
        },
      )
      return true
    } catch (e) {
      if (e instanceof LostLeaseError) throw e
      deps.log.warn(
        { migration: `${namespace}/${name}`, err: messageOf(e) },
        'a halt could not be recorded; will be tried again',
      )
      return false
    }
  }

  /**
   * The same for a move whose VolumeMigration was deleted before its end: by a person or with its namespace, and in both
   * cases nobody has seen how it ended. Throws when it cannot be recorded yet.
   */
  async recordDeleted(entry: LedgerEntry & { readonly uid: string }): Promise<void> {
    const { ledger, deps } = this.#parts
    const { uid, namespace, migration, policy = '', volumeId, fromTypeId, toTypeId } = entry
    const at = new Date(deps.clock.now()).toISOString()
    await ledger.halt({ uid, namespace, migration, policy, volumeId, fromTypeId, toTypeId, at })
  }

  /**
   * Lifts what a person has explained: by deleting the VolumeMigration, or by its uid on a policy. Throws when one could
   * not be lifted; the others are all the same.
   */
  async check(): Promise<void> {
    const { ledger, migrations, deps, onLifted } = this.#parts
    const halts = ledger.halts()
    if (halts.length === 0) return
    const there = new Set([...migrations.all()].map((m) => m.metadata.uid))
    const problems: string[] = []
    for (const halt of halts) {
      if (there.has(halt.uid)) continue
      const { namespace, migration, volumeId } = halt
      try {
        if (!this.#isExplained(halt) && !(await this.#isDeletedAlone(halt))) continue
        await ledger.lift(halt)
        deps.log.info({ namespace, migration, volumeID: volumeId }, 'a halt was lifted')
        onLifted()
      } catch (e) {
        if (e instanceof LostLeaseError) throw e
        problems.push(`the halt of ${namespace}/${migration} could not be lifted: ${messageOf(e)}`)
      }
    }
    if (problems.length > 0) throw new Error(problems.join('; '))
  }

  #isExplained({ uid }: Halt): boolean {
    const policies = [...this.#parts.watches.policies.store.values()]
    return policies.some((p) => p.policy.metadata.annotations?.[ANNOTATION.explained] === uid)
  }

  /** Its namespace is still the one it was in, and stays: nobody deletes a namespace to explain a move. */
  async #isDeletedAlone({ namespace, namespaceUid }: Halt): Promise<boolean> {
    if (namespaceUid === undefined) return false
    const found = await this.#read(namespace)
    const { uid, deletionTimestamp } = found?.metadata ?? {}
    return uid === namespaceUid && deletionTimestamp === undefined
  }

  /** undefined when it may not be read: then only the annotation lifts. */
  async #uidOf(namespace: string): Promise<string | undefined> {
    return (await this.#read(namespace))?.metadata.uid
  }

  async #read(namespace: string): Promise<KubeObject | undefined> {
    try {
      return await this.#parts.deps.kube.get<KubeObject>(NAMESPACE, namespace)
    } catch (e) {
      if (isForbidden(e) || (e instanceof ApiError && e.reason === 'NotFound' && e.byServer))
        return undefined
      throw e
    }
  }
}
