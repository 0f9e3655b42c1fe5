import type { AttachmentFacts } from '../policy/demand.ts'

/** Since when (seconds) Kubernetes and Cinder each say that a volume is attached nowhere. Starts anew with the process. */
export class Detachments {
  readonly #kubernetes = new Map<string, number>()
  readonly #cinder = new Map<string, number>()

  note(
    volumeId: string,
    attached: { kubernetes: boolean; cinder: boolean },
    nowSeconds: number,
  ): void {
    noteOne(this.#kubernetes, volumeId, attached.kubernetes, nowSeconds)
    noteOne(this.#cinder, volumeId, attached.cinder, nowSeconds)
  }

  of(volumeId: string): AttachmentFacts {
    return {
      detachedSinceByKubernetes: this.#kubernetes.get(volumeId),
      detachedSinceByCinder: this.#cinder.get(volumeId),
    }
  }

  forget(keep: (volumeId: string) => boolean): void {
    for (const map of [this.#kubernetes, this.#cinder])
      for (const id of map.keys()) if (!keep(id)) map.delete(id)
  }
}

function noteOne(since: Map<string, number>, id: string, attached: boolean, now: number): void {
  if (attached) since.delete(id)
  else if (!since.has(id)) since.set(id, now)
}
