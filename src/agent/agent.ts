import type { Clock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { createDiskList } from './disk-list.ts'
import { renderScrape } from './exposition.ts'
import type { ProcessFigures, WrittenLabels } from './exposition.ts'
import type { NodeFiles } from './node-files.ts'
import { takeSnapshot } from './snapshot.ts'
import type { Snapshot } from './snapshot.ts'

export type AgentOptions = {
  readonly files: NodeFiles
  /** Value of the label `node`. */
  readonly node: string
  /** Where /proc and /sys of the node are mounted. */
  readonly roots: { readonly proc: string; readonly sys: string }
  /** Names in /sys/block that are passed over without a word. */
  readonly ignored: RegExp
  readonly clock: Clock
  readonly log: Log
  readonly process: () => ProcessFigures
}

export type Agent = {
  /** The counters of now, in Prometheus' text format. Who asks while another is being served gets the same. Never rejects. */
  scrape(): Promise<string>
  /** Reads of device attributes that do not return. Those of a scrape under way have the time that it gives them. */
  hangingReads(): Promise<number>
}

/** Counts the I/O of the Cinder volumes that are attached to one node. */
export function createAgent(options: AgentOptions): Agent {
  const { files, node, roots, clock, log } = options
  const list = createDiskList({ files, clock, sys: roots.sys, ignored: options.ignored })
  const written: WrittenLabels = new Map()
  let failures = 0
  let reportedFailure: string | undefined
  let current: Promise<string> | undefined
  const snapshot = async (): Promise<Snapshot | undefined> => {
    try {
      const taken = await takeSnapshot(files, roots.proc, list)
      reportedFailure = undefined
      return taken
    } catch (e) {
      failures += 1
      const error = messageOf(e)
      if (error !== reportedFailure)
        log.error(
          { error, ...roots },
          'the disks of the node cannot be read; mount its /proc, /sys',
        )
      reportedFailure = error
      return undefined
    }
  }
  const scrape = async (): Promise<string> => {
    const start = clock.monotonic()
    const taken = await snapshot()
    const durationSeconds = (clock.monotonic() - start) / 1000
    const figures = options.process()
    return renderScrape(
      { node, snapshot: taken, durationSeconds, failures, process: figures },
      written,
    )
  }
  return {
    hangingReads: async () => {
      await current
      return list.hanging
    },
    scrape: () =>
      (current ??= scrape().finally(() => {
        current = undefined
      })),
  }
}
