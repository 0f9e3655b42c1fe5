import { fnv1a } from './rule-hash.ts'
import { pairCount } from './rule.ts'
import type { VolumeState } from './types.ts'

/**
 * Checkpoint format. Header: "CS", version, number of tiers, rule hash (8 bytes), records (u32), checksum (u32).
 * Then per volume: id (0 and 16 bytes for a UUID, else its length and UTF-8), cost per tier, spread per pair of
 * tiers, hours and demandHours as float64, previous tier (i8), windows (u16), four times (u32). 100 bytes a volume
 * with three tiers.
 */
const VERSION = 2
const HEADER = 20
const MOST_BASE64 = 256 * 1024
const MOST_BYTES = (MOST_BASE64 / 4) * 3
const CHECKSUM_SEED = 0x811c9dc5
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

export type PackedShard = { readonly volumes: number; readonly data: string }

export type UnpackedShard =
  | { readonly ok: true; readonly states: ReadonlyMap<string, VolumeState> }
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
  let records: Buffer[] = []
  let bytes = HEADER
  const packed = () => ({ volumes: records.length, data: shard(records, tierCount, ruleHash) })
  for (const [id, state] of [...states].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const record = packRecord(id, state, tierCount)
    if (!record) continue
    if (bytes + record.length > MOST_BYTES) {
      yield packed()
      records = []
      bytes = HEADER
    }
    records.push(record)
    bytes += record.length
  }
  if (records.length > 0) yield packed()
}

function shard(records: readonly Buffer[], tierCount: number, ruleHash: string): string {
  const body = Buffer.concat(records)
  const header = Buffer.alloc(HEADER)
  header.write('CS', 0, 'latin1')
  header.writeUInt8(VERSION, 2)
  header.writeUInt8(tierCount, 3)
  header.write(ruleHash, 4, 8, 'hex')
  header.writeUInt32LE(records.length, 12)
  header.writeUInt32LE(checksum(header, body), 16)
  return Buffer.concat([header, body]).toString('base64')
}

function checksum(header: Buffer, body: Buffer): number {
  return fnv1a(body, fnv1a(header.subarray(0, 16), CHECKSUM_SEED))
}

function packRecord(id: string, state: VolumeState, tierCount: number): Buffer | undefined {
  const key = packId(id)
  if (!key || !fits(state, tierCount)) return undefined
  const record = Buffer.alloc(key.length + numbersLength(tierCount))
  let at = key.copy(record)
  const { cost, spread, hours, demandHours } = state
  for (const n of [...cost, ...spread, hours, demandHours]) at = record.writeDoubleLE(n, at)
  at = record.writeInt8(state.previousTier, at)
  at = record.writeUInt16LE(state.coveredWindows, at)
  const { movedAt, lastWindowEnd, lastExceededAt, firstSeenAt } = state
  for (const time of [movedAt, lastWindowEnd, lastExceededAt, firstSeenAt])
    at = record.writeUInt32LE(seconds(time), at)
  return record
}

function fits(state: VolumeState, tierCount: number): boolean {
  return state.cost.length === tierCount && state.spread.length === pairCount(tierCount)
}

function numbersLength(tierCount: number): number {
  return 8 * (tierCount + pairCount(tierCount) + 2) + 1 + 2 + 4 * 4
}

function seconds(time: number): number {
  return Math.min(0xffffffff, Math.max(0, Math.round(time)))
}

function packId(id: string): Buffer | undefined {
  if (UUID.test(id)) return Buffer.from(`00${id.replaceAll('-', '')}`, 'hex')
  const text = Buffer.from(id, 'utf8')
  if (text.length === 0 || text.length > 255) return undefined
  return Buffer.concat([Buffer.of(text.length), text])
}

/**
 * The states of one shard. Numbers of another format, another rule, or damaged in any way are refused as a whole
 * with the reason: the history is then read from the source again. Never throws.
 */
export function unpackStates(data: string, tierCount: number, ruleHash: string): UnpackedShard {
  const raw = Buffer.from(data, 'base64')
  const problem = headerProblem(raw, tierCount, ruleHash)
  if (problem !== undefined) return { ok: false, reason: problem }
  try {
    return unpackBody(raw, tierCount)
  } catch {
    return { ok: false, reason: 'the checkpoint ends in the middle of a record' }
  }
}

function headerProblem(raw: Buffer, tierCount: number, ruleHash: string): string | undefined {
  if (raw.length < HEADER || raw.toString('latin1', 0, 2) !== 'CS')
    return 'the checkpoint is not one of ours'
  if (raw[2] !== VERSION)
    return `the checkpoint has format ${raw[2]}, this version reads ${VERSION}`
  if (raw.readUInt32LE(16) !== checksum(raw, raw.subarray(HEADER)))
    return 'the checkpoint is damaged (its checksum does not fit)'
  if (raw[3] !== tierCount || raw.toString('hex', 4, 12) !== ruleHash)
    return 'the checkpoint was made with other tiers, prices, limits or constants'
  return undefined
}

function unpackBody(raw: Buffer, tierCount: number): UnpackedShard {
  const states = new Map<string, VolumeState>()
  const count = raw.readUInt32LE(12)
  let at = HEADER
  for (let i = 0; i < count; i++) {
    const id = unpackId(raw, at)
    at += id.length
    const state = unpackNumbers(raw, at, tierCount)
    at += numbersLength(tierCount)
    const { cost, spread, hours, demandHours } = state
    if (![...cost, ...spread, hours, demandHours].every(Number.isFinite))
      return { ok: false, reason: `the checkpoint has a number that is none for volume ${id.text}` }
    states.set(id.text, state)
  }
  if (at !== raw.length) return { ok: false, reason: 'the checkpoint is longer than it says' }
  return { ok: true, states }
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

function unpackNumbers(raw: Buffer, start: number, tierCount: number): VolumeState {
  const double = (i: number) => raw.readDoubleLE(start + 8 * i)
  const pairs = pairCount(tierCount)
  const sums = tierCount + pairs
  const after = start + 8 * (sums + 2)
  const time = (i: number) => raw.readUInt32LE(after + 3 + 4 * i)
  return {
    cost: Array.from({ length: tierCount }, (_, i) => double(i)),
    spread: Array.from({ length: pairs }, (_, i) => double(tierCount + i)),
    hours: double(sums),
    demandHours: double(sums + 1),
    previousTier: raw.readInt8(after),
    coveredWindows: raw.readUInt16LE(after + 1),
    movedAt: time(0),
    lastWindowEnd: time(1),
    lastExceededAt: time(2),
    firstSeenAt: time(3),
  }
}
