import type { Clock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { createDiskList } from './disk-list.ts'
import { renderScrape } from './exposition.ts'
import type { ProcessFigures } from './exposition.ts'
import type { NodeFiles } from './node-files.ts'
import { takeSnapshot } from './snapshot.ts'
import type { Snapshot } from './snapshot.ts'

export type AgentOptions = {
  readonly files: NodeFiles
  /** Value of the label `node`. */
  readonly node: string
  /** Where /proc and /sys of the node are mounted. */
  readonly roots: { readonly proc: string; readonly sys: string }
  readonly clock: Clock
  readonly log: Log
  readonly process: () => ProcessFigures
}

export type Agent = {
  /** The counters of now, in Prometheus' text format; never throws. Synchronous, so that scrapes cannot mix. */
  scrape(): string
}

/** Counts the I/O of the Cinder volumes that are attached to one node. */
export function createAgent(options: AgentOptions): Agent {
  const { files, node, roots, clock, log } = options
  const list = createDiskList(files, roots.sys)
  let failures = 0
  let toldFailure: string | undefined
  const snapshot = (): Snapshot | undefined => {
    try {
      const taken = takeSnapshot(files, roots, list)
      toldFailure = undefined
      return taken
    } catch (e) {
      failures += 1
      const error = messageOf(e)
      if (error !== toldFailure)
        log.error(
          { error, ...roots },
          'the disks of the node cannot be read; mount its /proc, /sys',
        )
      toldFailure = error
      return undefined
    }
  }
  return {
    scrape: () => {
      const start = clock.monotonic()
      const taken = snapshot()
      const durationSeconds = (clock.monotonic() - start) / 1000
      return renderScrape({
        node,
        snapshot: taken,
        durationSeconds,
        failures,
        process: options.process(),
      })
    },
  }
}
