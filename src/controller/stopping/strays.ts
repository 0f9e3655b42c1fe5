import { ANNOTATION } from '../../api/names.ts'
import { stopRecord } from '../../api/tiering-checkpoint.ts'
import { scaleOf } from '../../api/workload-objects.ts'
import type { WorkloadObject } from '../../api/workload-objects.ts'
import { isForbidden } from '../../kube/missing-right.ts'
import { createWorkloads } from '../../kube/workloads.ts'
import type { Workloads } from '../../kube/workloads.ts'
import type { ControllerDeps } from '../deps.ts'
import type { Policies } from '../view/policies.ts'
import type { Stops } from './stop.ts'

type Parts = {
  readonly deps: Pick<ControllerDeps, 'kube' | 'log'>
  readonly policies: Pick<Policies, 'all'>
  readonly stops: Pick<Stops, 'of' | 'unreadable'>
}

/**
 * Workloads with the mark of a stop that there is no record of: it was deleted, or the workload has come back from a backup
 * that was made while it was stopped. Nobody knows what to restore, and so somebody has to hear of them.
 */
export class Strays {
  readonly #parts: Parts
  readonly #workloads: Workloads
  #found: readonly string[] = []

  constructor(parts: Parts) {
    this.#parts = parts
    this.#workloads = createWorkloads(parts.deps.kube)
  }

  /** Of the last check. */
  get count(): number {
    return this.#found.length
  }

  async check(): Promise<void> {
    const { deps, policies } = this.#parts
    const isUsed = policies.all().some((p) => p.effective.migration.workloads === 'Restart')
    const found: string[] = []
    for (const workload of isUsed ? await this.#marked() : []) {
      const { kind, metadata } = workload
      const name = `${kind} ${metadata.namespace}/${metadata.name}`
      if (!this.#isStray(workload) || !(await this.#isStill(workload))) continue
      found.push(name)
      if (!this.#found.includes(name))
        deps.log.error(
          { workload: name, move: markOf(workload) },
          `a workload is annotated ${ANNOTATION.stoppedFor} and there is no record of that stop: scale it back yourself, and remove the annotation`,
        )
    }
    this.#found = found
  }

  async #marked(): Promise<readonly WorkloadObject[]> {
    try {
      return await this.#workloads.marked()
    } catch (e) {
      // who may not stop workloads has no strays
      if (isForbidden(e)) return []
      throw e
    }
  }

  #isStray(workload: WorkloadObject): boolean {
    const { stops } = this.#parts
    // the annotation may have been copied with a manifest; a Deployment is never stopped in part
    if (workload.kind === 'Deployment' && scaleOf(workload).replicas > 0) return false
    const mark = markOf(workload) ?? ''
    return stops.of(mark) === undefined && !stops.unreadable().has(stopRecord(mark))
  }

  /** A record is removed after its mark, and made before it: who sees neither between two reads of the mark has missed nothing. */
  async #isStill(workload: WorkloadObject): Promise<boolean> {
    const { kind, metadata } = workload
    const { namespace = '', name } = metadata
    const now = await this.#workloads.get({ kind, namespace, name })
    return now !== undefined && markOf(now) === markOf(workload) && this.#isStray(now)
  }
}

function markOf({ metadata }: WorkloadObject): string | undefined {
  return metadata.annotations?.[ANNOTATION.stoppedFor]
}
