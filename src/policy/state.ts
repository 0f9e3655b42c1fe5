import { fnv1a } from './rule-hash.ts'
import { pairCount } from './rule.ts'
import type { VolumeState } from './types.ts'

/**
 * Checkpoint format. Header: "CS", version, number of tiers, rule hash (8 bytes), records (u32), checksum (u32).
 * Then per volume: id (0 and 16 bytes for a UUID, else its length and UTF-8), cost per tier, spread per pair of
 * tiers, hours and demandHours as float64, previous tier and tier (i8), covered and quiet seconds and five times (u32).
 * 111 bytes a volume with three tiers. Format 2 had no tier, the windows (u16) for the seconds, and four times.
 */
const VERSION = 3
const FORMAT_2 = 2
const HEADER = 20
const MOST_BASE64 = 256 * 1024
const MOST_BYTES = (MOST_BASE64 / 4) * 3
const CHECKSUM_SEED = 0x811c9dc5
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

export type PackedShard = { readonly volumes: number; readonly data: string }

export type UnpackedShard =
  | {
      readonly ok: true
      readonly ruleHash: string
      readonly tierCount: number
      readonly states: ReadonlyMap<string, VolumeState>
    }
  | { readonly ok: false; readonly reason: string }

/**
 * The states by volume id as base64 shards of at most 256 KiB, ordered by id; floating point numbers survive exactly,
 * so that a restart gives the same verdicts. `ruleHash`: 16 hex digits. States with another number of tiers, and
 * ids longer than 255 bytes, are left out: nobody could use them. The states are those of the first shard's time, but each
 * shard is packed when it is asked for: a large fleet takes longer than the event loop may wait.
 */
export function* packStates(
  states: ReadonlyMap<string, VolumeState>,
  tierCount: number,
  ruleHash: string,
): Generator<PackedShard, void> {
  // no state is ever changed in place, so that this list stays as it is while the map goes on
  const all = [...states.keys()].toSorted().map((id) => [id, states.get(id)!] as const)
  const numbers = numbersLength(tierCount)
  let raw: Buffer | undefined
  let bytes = HEADER
  let volumes = 0
  const packed = (from: Buffer) => ({
    volumes,
    data: shard(from.subarray(0, bytes), volumes, tierCount, ruleHash),
  })
  for (const [i, [id, state]] of all.entries()) {
    const idLength = fits(state, tierCount) ? packedIdLength(id) : 0
    if (idLength === 0) continue
    if (raw !== undefined && bytes + idLength + numbers > MOST_BYTES) {
      yield packed(raw)
      raw = undefined
    }
    if (raw === undefined) {
      raw = Buffer.allocUnsafe(
        Math.min(MOST_BYTES, HEADER + (all.length - i) * (LONGEST_ID + numbers)),
      )
      bytes = HEADER
      volumes = 0
    }
    packId(id, idLength, raw, bytes)
    bytes = packNumbers(state, raw, bytes + idLength)
    volumes += 1
  }
  if (raw !== undefined) yield packed(raw)
}

/** Writes the header before the records that `raw` holds behind it. */
function shard(raw: Buffer, volumes: number, tierCount: number, ruleHash: string): string {
  raw.fill(0, 0, HEADER)
  raw.write('CS', 0, 'latin1')
  raw.writeUInt8(VERSION, 2)
  raw.writeUInt8(tierCount, 3)
  raw.write(ruleHash, 4, 8, 'hex')
  raw.writeUInt32LE(volumes, 12)
  raw.writeUInt32LE(checksum(raw, raw.subarray(HEADER)), 16)
  return raw.toString('base64')
}

function checksum(header: Buffer, body: Buffer): number {
  return fnv1a(body, fnv1a(header.subarray(0, 16), CHECKSUM_SEED))
}

/** Returns where the next record begins. */
function packNumbers(state: VolumeState, raw: Buffer, start: number): number {
  const { cost, spread } = state
  let at = start
  for (let i = 0; i < cost.length; i++) at = raw.writeDoubleLE(cost[i]!, at)
  for (let i = 0; i < spread.length; i++) at = raw.writeDoubleLE(spread[i]!, at)
  at = raw.writeDoubleLE(state.hours, at)
  at = raw.writeDoubleLE(state.demandHours, at)
  at = raw.writeInt8(state.previousTier, at)
  at = raw.writeInt8(state.tier, at)
  at = raw.writeUInt32LE(seconds(state.coveredSeconds), at)
  at = raw.writeUInt32LE(seconds(state.quietSeconds), at)
  at = raw.writeUInt32LE(seconds(state.measuredAt), at)
  at = raw.writeUInt32LE(seconds(state.movedAt), at)
  at = raw.writeUInt32LE(seconds(state.lastWindowEnd), at)
  at = raw.writeUInt32LE(seconds(state.lastExceededAt), at)
  return raw.writeUInt32LE(seconds(state.firstSeenAt), at)
}

function fits(state: VolumeState, tierCount: number): boolean {
  return state.cost.length === tierCount && state.spread.length === pairCount(tierCount)
}

function numbersLength(tierCount: number, version = VERSION): number {
  return 8 * (tierCount + pairCount(tierCount) + 2) + (version === FORMAT_2 ? 1 + 2 + 16 : 2 + 28)
}

function seconds(time: number): number {
  return Math.min(0xffffffff, Math.max(0, Math.round(time)))
}

const LONGEST_ID = 256

/** 0 for an id that nobody could have. */
function packedIdLength(id: string): number {
  if (UUID.test(id)) return 17
  const length = Buffer.byteLength(id)
  return length === 0 || length > 255 ? 0 : 1 + length
}

function packId(id: string, length: number, raw: Buffer, at: number): void {
  if (UUID.test(id)) {
    raw.writeUInt8(0, at)
    raw.write(id.replaceAll('-', ''), at + 1, 16, 'hex')
  } else {
    raw.writeUInt8(length - 1, at)
    raw.write(id, at + 1, 'utf8')
  }
}

/**
 * The states of one shard, and the rule they were made with. Numbers of another format, or damaged in any way, are
 * refused as a whole with the reason: the history is then read from the source again. `windowSeconds`: of the windows that
 * format 2 has counted. Never throws.
 */
export function unpackStates(data: string, windowSeconds: number): UnpackedShard {
  const raw = Buffer.from(data, 'base64')
  const problem = headerProblem(raw)
  if (problem !== undefined) return { ok: false, reason: problem }
  try {
    return unpackBody(raw, windowSeconds)
  } catch {
    return { ok: false, reason: 'the checkpoint ends in the middle of a record' }
  }
}

function headerProblem(raw: Buffer): string | undefined {
  if (raw.length < HEADER || raw.toString('latin1', 0, 2) !== 'CS')
    return 'the checkpoint is not one of ours'
  if (raw[2] !== VERSION && raw[2] !== FORMAT_2)
    return `the checkpoint has format ${raw[2]}, this version reads ${FORMAT_2} and ${VERSION}`
  if (raw.readUInt32LE(16) !== checksum(raw, raw.subarray(HEADER)))
    return 'the checkpoint is damaged (its checksum does not fit)'
  return undefined
}

function unpackBody(raw: Buffer, windowSeconds: number): UnpackedShard {
  const states = new Map<string, VolumeState>()
  const version = raw.readUInt8(2)
  const tierCount = raw.readUInt8(3)
  const count = raw.readUInt32LE(12)
  let at = HEADER
  for (let i = 0; i < count; i++) {
    const id = unpackId(raw, at)
    at += id.length
    const sums = unpackSums(raw, at, tierCount)
    const after = at + 8 * (tierCount + pairCount(tierCount) + 2)
    const state =
      version === FORMAT_2
        ? { ...sums, ...unpackTimes2(raw, after, windowSeconds) }
        : { ...sums, ...unpackTimes(raw, after) }
    at += numbersLength(tierCount, version)
    const { cost, spread, hours, demandHours } = state
    if (![...cost, ...spread, hours, demandHours].every(Number.isFinite))
      return { ok: false, reason: `the checkpoint has a number that is none for volume ${id.text}` }
    states.set(id.text, state)
  }
  if (at !== raw.length) return { ok: false, reason: 'the checkpoint is longer than it says' }
  return { ok: true, ruleHash: raw.toString('hex', 4, 12), tierCount, states }
}

function unpackId(raw: Buffer, at: number): { text: string; length: number } {
  const length = raw.readUInt8(at)
  if (length > 0) {
    raw.readUInt8(at + length)
    return { text: raw.toString('utf8', at + 1, at + 1 + length), length: 1 + length }
  }
  const hex = raw.toString('hex', at + 1, at + 17)
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20)]
  return { text: [...parts, hex.slice(20)].join('-'), length: 17 }
}

type Sums = Pick<VolumeState, 'cost' | 'spread' | 'hours' | 'demandHours'>

function unpackSums(raw: Buffer, start: number, tierCount: number): Sums {
  const double = (i: number) => raw.readDoubleLE(start + 8 * i)
  const pairs = pairCount(tierCount)
  const sums = tierCount + pairs
  return {
    cost: Array.from({ length: tierCount }, (_, i) => double(i)),
    spread: Array.from({ length: pairs }, (_, i) => double(tierCount + i)),
    hours: double(sums),
    demandHours: double(sums + 1),
  }
}

function unpackTimes(raw: Buffer, after: number): Omit<VolumeState, keyof Sums> {
  const time = (i: number) => raw.readUInt32LE(after + 2 + 4 * i)
  return {
    previousTier: raw.readInt8(after),
    tier: raw.readInt8(after + 1),
    coveredSeconds: time(0),
    quietSeconds: time(1),
    measuredAt: time(2),
    movedAt: time(3),
    lastWindowEnd: time(4),
    lastExceededAt: time(5),
    firstSeenAt: time(6),
  }
}

/** No more time is taken as measured, or as quiet, than there were windows. */
function unpackTimes2(
  raw: Buffer,
  after: number,
  windowSeconds: number,
): Omit<VolumeState, keyof Sums> {
  const time = (i: number) => raw.readUInt32LE(after + 3 + 4 * i)
  const coveredSeconds = raw.readUInt16LE(after + 1) * windowSeconds
  const [movedAt, lastWindowEnd, lastExceededAt, firstSeenAt] = [time(0), time(1), time(2), time(3)]
  const quiet = Math.max(0, lastWindowEnd - Math.max(lastExceededAt, firstSeenAt))
  return {
    previousTier: raw.readInt8(after),
    tier: -1,
    coveredSeconds,
    quietSeconds: Math.min(coveredSeconds, quiet),
    measuredAt: 0,
    movedAt,
    lastWindowEnd,
    lastExceededAt,
    firstSeenAt,
  }
}
