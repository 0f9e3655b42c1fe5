import type { Clock } from '../../clock.ts'
import type { DiskMeasures } from './answer.ts'
import type { AggregatesAnswer, GnocchiClient } from './client.ts'
import { diskKey } from './disk.ts'
import { DISK_QUANTITIES } from './metric-names.ts'
import type { DiskId } from './disk.ts'
import { agree, isNewer } from './doubles.ts'
import { pollingIntervalOf } from './polling-interval.ts'
import type { Sample } from './usage.ts'
import { samplesOf } from './usage.ts'

/** Time read at once, whole seconds since the epoch. */
export type Span = { readonly startSeconds: number; readonly stopSeconds: number }

/** Why a disk has no numbers. */
export type Lack = 'NoDisk' | 'NoMean' | 'NoGranularity' | 'NotAskedYet' | 'Contradicted'

export type DisksRead =
  | {
      readonly kind: 'Samples'
      /** By `diskKey`. */
      readonly samples: ReadonlyMap<string, readonly Sample[]>
      readonly lacking: ReadonlyMap<string, Lack>
      /** Disks that several collectors report. */
      readonly doubled: readonly string[]
      /** Between two polls of these disks; undefined when there are too few samples. */
      readonly intervalSeconds: number | undefined
    }
  | { readonly kind: 'Failed'; readonly why: string }

export type DiskReaderParts = {
  readonly client: GnocchiClient
  readonly clock: Clock
  readonly granularitySeconds: number
  /** Longest one question may take, its tries included; undefined = as long as they take. */
  readonly questionMs?: number
}

/** Disks of one question. */
const MOST_DISKS = 100
/** Measures of one answer: about a megabyte, parsed in some 20 ms. */
const MOST_MEASURES = 20_000
/** Questions under way at once. */
const SIDE_BY_SIDE = 4
/** Extra questions per reading to find the disks that spoil a chunk; the rest waits for the next reading. */
const MOST_SPLITS = 64
const REMEMBERED_MS = 3_600_000

/**
 * Reads the counters of many disks. Gnocchi refuses a question as a whole when one metric does not keep what is asked, so
 * a refused chunk is halved until the disks that spoil it are known; they are left out for an hour.
 */
export class DiskReader {
  readonly #parts: DiskReaderParts
  readonly #refused = new Map<string, { readonly lack: Lack; readonly until: number }>()

  constructor(parts: DiskReaderParts) {
    this.#parts = parts
  }

  /** `disks` without doubles. Never throws; one chunk that fails makes the whole reading fail. */
  async read(disks: readonly DiskId[], span: Span, signal?: AbortSignal): Promise<DisksRead> {
    const reading: Reading = { found: new Map(), lacking: new Map(), doubled: [], splits: 0 }
    const chunks = chunksOf(this.#worthAsking(disks, reading), this.#chunkSize(span))
    let failed: string | undefined
    const worker = async () => {
      for (let chunk = chunks.shift(); chunk !== undefined; chunk = chunks.shift()) {
        failed = (await this.#ask(chunk, span, reading, signal)) ?? failed
        if (failed !== undefined) return
      }
    }
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, worker))
    if (failed !== undefined) return { kind: 'Failed', why: failed }
    const { found: samples, lacking, doubled } = reading
    const intervalSeconds = pollingIntervalOf(samples.values())
    return { kind: 'Samples', samples, lacking, doubled, intervalSeconds }
  }

  #chunkSize({ startSeconds, stopSeconds }: Span): number {
    const periods = (stopSeconds - startSeconds) / this.#parts.granularitySeconds
    const each = DISK_QUANTITIES.length * Math.max(1, periods)
    return Math.max(1, Math.min(MOST_DISKS, Math.floor(MOST_MEASURES / each)))
  }

  #worthAsking(disks: readonly DiskId[], { lacking }: Reading): DiskId[] {
    const now = this.#parts.clock.monotonic()
    // those of volumes that are gone are asked for by nobody
    for (const [key, { until }] of this.#refused) if (until <= now) this.#refused.delete(key)
    return disks.filter((disk) => {
      const key = diskKey(disk)
      const refused = this.#refused.get(key)
      if (refused === undefined) return true
      lacking.set(key, refused.lack)
      return false
    })
  }

  /** Resolves to why the reading failed, or to undefined. */
  async #ask(
    chunk: readonly DiskId[],
    span: Span,
    reading: Reading,
    signal: AbortSignal | undefined,
  ): Promise<string | undefined> {
    const answer = await this.#inTime(signal, (limited) =>
      this.#parts.client.aggregates({
        disks: chunk,
        aggregation: 'mean',
        granularitySeconds: this.#parts.granularitySeconds,
        ...span,
        ...(limited === undefined ? {} : { signal: limited }),
      }),
    )
    if (answer.kind === 'Failed') return answer.why
    if (answer.kind === 'Measures') return keep(chunk, answer.disks, reading)
    if (answer.kind === 'NoneMatch') return lackAll(chunk, 'NoDisk', reading)
    return this.#split(
      chunk,
      lackOf(answer),
      (part) => this.#ask(part, span, reading, signal),
      reading,
    )
  }

  /** A service that takes requests and never answers must not hold up those who wait for another source. */
  async #inTime(
    signal: AbortSignal | undefined,
    ask: (signal: AbortSignal | undefined) => Promise<AggregatesAnswer>,
  ): Promise<AggregatesAnswer> {
    const { clock, questionMs } = this.#parts
    if (questionMs === undefined) return ask(signal)
    const late = new AbortController()
    const timer = clock.setTimer(questionMs, () => late.abort())
    try {
      const answer = await ask(AbortSignal.any([late.signal, ...(signal ? [signal] : [])]))
      if (answer.kind !== 'Failed' || !late.signal.aborted || signal?.aborted) return answer
      return { kind: 'Failed', why: `Gnocchi: no answer within ${questionMs / 1000} s` }
    } finally {
      timer.cancel()
    }
  }

  async #split(
    chunk: readonly DiskId[],
    lack: Lack,
    ask: (part: readonly DiskId[]) => Promise<string | undefined>,
    reading: Reading,
  ): Promise<string | undefined> {
    if (chunk.length === 1) {
      const until = this.#parts.clock.monotonic() + REMEMBERED_MS
      this.#refused.set(diskKey(chunk[0]!), { lack, until })
      return lackAll(chunk, lack, reading)
    }
    if (reading.splits >= MOST_SPLITS) return lackAll(chunk, 'NotAskedYet', reading)
    reading.splits += 1
    const middle = Math.ceil(chunk.length / 2)
    return (await ask(chunk.slice(0, middle))) ?? (await ask(chunk.slice(middle)))
  }
}

type Reading = {
  /** Not the measures: a day of 1000 disks is 75 MB of them. */
  readonly found: Map<string, readonly Sample[]>
  readonly lacking: Map<string, Lack>
  readonly doubled: string[]
  splits: number
}

function chunksOf(disks: readonly DiskId[], size: number): (readonly DiskId[])[] {
  const count = Math.ceil(disks.length / size)
  return Array.from({ length: count }, (_, i) => disks.slice(i * size, (i + 1) * size))
}

function lackOf(answer: Exclude<AggregatesAnswer, { kind: 'Measures' | 'Failed' }>): Lack {
  return answer.kind === 'UnknownAggregation' ? 'NoMean' : 'NoGranularity'
}

function lackAll(chunk: readonly DiskId[], lack: Lack, { lacking }: Reading): undefined {
  for (const disk of chunk) lacking.set(diskKey(disk), lack)
}

/** Two collectors make two resources of one disk; the one that still reports counts, never the sum. */
function keep(
  chunk: readonly DiskId[],
  disks: readonly DiskMeasures[],
  { found, lacking, doubled }: Reading,
): undefined {
  const contradicted = new Set<string>()
  for (const disk of disks) {
    const key = diskKey(disk)
    const samples = samplesOf(disk.measures)
    const other = found.get(key)
    if (other !== undefined) doubled.push(key)
    if (other !== undefined && !agree(samples, other)) contradicted.add(key)
    if (other === undefined || isNewer(samples, other)) found.set(key, samples)
  }
  for (const key of contradicted) found.delete(key)
  for (const key of chunk.map(diskKey))
    if (!found.has(key)) lacking.set(key, contradicted.has(key) ? 'Contradicted' : 'NoDisk')
}
