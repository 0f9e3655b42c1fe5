import type { AttachmentFacts } from '../../policy/demand.ts'

/** Since when (seconds) Kubernetes and Cinder each say that a volume is attached nowhere. */
export class Detachments {
  readonly #kubernetes = new Map<string, number>()
  readonly #cinder = new Map<string, number>()
  readonly #known = new Set<string>()

  /**
   * `changedAt`: when Cinder last changed the volume. Any attach or detach does, so that a volume which is detached when
   * this process first sees it has been so since then at least; NaN when Cinder does not say. Later on it is detached
   * since it was seen to be.
   */
  note(
    volumeId: string,
    attached: { readonly kubernetes: boolean; readonly cinder: boolean },
    { now, changedAt }: { readonly now: number; readonly changedAt: number },
  ): void {
    const first = !this.#known.has(volumeId) && changedAt < now
    this.#known.add(volumeId)
    const since = first ? changedAt : now
    noteOne(this.#kubernetes, volumeId, attached.kubernetes, since)
    noteOne(this.#cinder, volumeId, attached.cinder, since)
  }

  /** It was attached for a moment at least: what is noted next begins then. */
  interrupt(volumeId: string): void {
    this.#known.add(volumeId)
    this.#kubernetes.delete(volumeId)
    this.#cinder.delete(volumeId)
  }

  of(volumeId: string): AttachmentFacts {
    return {
      detachedSinceByKubernetes: this.#kubernetes.get(volumeId),
      detachedSinceByCinder: this.#cinder.get(volumeId),
    }
  }

  forget(keep: (volumeId: string) => boolean): void {
    for (const ids of [this.#kubernetes, this.#cinder, this.#known])
      for (const id of ids.keys()) if (!keep(id)) ids.delete(id)
  }
}

function noteOne(
  detached: Map<string, number>,
  id: string,
  attached: boolean,
  since: number,
): void {
  if (attached) detached.delete(id)
  // a time to come is of a clock that was wrong
  else detached.set(id, Math.min(detached.get(id) ?? since, since))
}
