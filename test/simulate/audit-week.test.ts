import { describe, expect, it } from 'vitest'
import { AuditLines } from '../audit-lines.ts'
import { Stage } from '../controller/stage.ts'
import type { Running } from '../controller/stage.ts'
import { Dice } from '../seeded.ts'

const MINUTE = 60_000
const WEEK_MINUTES = 7 * 24 * 60
/** Renewed once a minute, so that a week goes by in a test. */
const LEASE = { leaseDurationMs: 300_000, renewDeadlineMs: 200_000, retryPeriodMs: 60_000 }
const CLAIMS = ['orders', 'archive', 'search', 'cache', 'mail'] as const

/** What happened to a volume: from type to type, between two times (ms). */
type Move = { claim: string; from: string; to: string; after: number; before: number }

/** Kills by what the lines that are about to be written say. */
type Death = 'before the call' | 'before the outcome' | 'before the end' | 'after the end'

class Week {
  readonly stage = new Stage()
  readonly lines = new AuditLines()
  readonly deaths: Record<Death, number> = {
    'before the call': 0,
    'before the outcome': 0,
    'before the end': 0,
    'after the end': 0,
  }
  /** As Cinder shows it, minute by minute. */
  readonly truth: Move[] = []
  readonly #dice: Dice
  readonly #volumes = new Map<string, { id: string; typeId: string }>()
  readonly #running = new Set<Running>()
  #started = 0

  constructor(seed: number) {
    this.#dice = new Dice(seed)
    this.stage.policy({ metrics: { window: '1h' }, migration: { cooldownPeriod: '1h' } })
    for (const name of CLAIMS) {
      const { id } = this.stage.claim({ name })
      this.#volumes.set(name, { id, typeId: this.#typeOf(id) })
    }
    for (let i = 0; i < 2; i++) this.#start()
  }

  async play(): Promise<void> {
    for (let minute = 0; minute < WEEK_MINUTES; minute++) {
      if (minute % 90 === 0) this.#somethingHappens()
      await this.stage.clock.advance(MINUTE)
      this.#observe()
    }
    // nothing new is asked for, and what runs comes to its end
    for (let minute = 0; minute < 180; minute++) {
      await this.stage.clock.advance(MINUTE)
      this.#observe()
    }
    for (const { life } of this.#running) life.kill()
  }

  /** Owners force tiers and let the policy decide again, Cinder reverts, processes die. */
  #somethingHappens(): void {
    const name = this.#dice.one(CLAIMS)
    const tier = this.#dice.one(['hot', 'warm', 'cold', undefined])
    this.stage.annotate(name, { 'couchestor.io/force-tier': tier })
    const id = this.#volumes.get(name)?.id ?? ''
    if (this.#dice.chance(0.15)) this.stage.cloud.planRetype(id, 'revertAfterCopy')
    if (this.#dice.chance(0.1)) this.#kill(this.#dice.one([...this.#running] as [Running]))
  }

  #start(): void {
    const running: Running = this.stage.start({
      identity: `replica-${++this.#started}`,
      lease: LEASE,
      configYaml: 'tasks: {resources: {every: 30m}, types: {every: 30m}}',
      auditSink: { write: (lines) => this.#written(running, lines) },
    })
    this.#running.add(running)
  }

  #kill(running: Running): void {
    running.life.kill()
    if (this.#running.delete(running)) this.#start()
  }

  #written(running: Running, lines: string): Promise<void> {
    if (running.life.dead) return new Promise(() => {})
    const death = this.#dice.chance(0.3) ? this.#deathAt(lines) : undefined
    if (death !== undefined) {
      this.deaths[death]++
      this.#kill(running)
    }
    const isLost = death === 'before the outcome' || death === 'before the end'
    return isLost ? new Promise(() => {}) : this.lines.write(lines)
  }

  #deathAt(lines: string): Death | undefined {
    if (lines.includes('"action":"monitor/update/retype"'))
      return this.#dice.one<Death>(['before the end', 'after the end'])
    if (!lines.includes('"action":"update/retype"')) return undefined
    return lines.includes('"outcome":"pending"') ? 'before the call' : 'before the outcome'
  }

  #observe(): void {
    const before = this.stage.clock.now()
    for (const [claim, volume] of this.#volumes) {
      const typeId = this.#typeOf(volume.id)
      if (typeId === volume.typeId) continue
      const { typeId: from } = volume
      this.truth.push({ claim, from, to: typeId, after: before - MINUTE, before })
      volume.typeId = typeId
    }
  }

  #typeOf(id: string): string {
    return this.stage.cloud.volume(id)?.typeId ?? ''
  }
}

/** The moves of a week from nothing but the lines. */
function reconstructed(lines: AuditLines) {
  return lines.calls('update/retype').map((call) => ({
    id: call.id,
    claim: call.target.claim?.name ?? '',
    from: call.from?.typeId ?? '',
    to: call.to?.typeId ?? '',
    began: Date.parse(call.at),
    ended: Date.parse(call.end?.at ?? ''),
    hasMoved: call.end?.outcome === 'success',
    outcome: call.outcome,
    reason: call.end?.reason,
  }))
}

describe.each([1])('a week of lines (seed %i)', (seed) => {
  it('reports every move exactly, also those whose leader was killed between two lines', async () => {
    const week = new Week(seed)
    await week.play()
    const moves = reconstructed(week.lines)
    // the week had everything in it
    expect(week.truth.length).toBeGreaterThan(20)
    for (const times of Object.values(week.deaths)) expect(times).toBeGreaterThan(2)
    const reasons = new Set(moves.map((m) => m.reason))
    expect([...reasons]).toEqual(expect.arrayContaining(['Verified', 'Reverted', 'NotSent']))
    expect(moves.some((m) => m.outcome === undefined && m.hasMoved)).toBe(true)

    // each volume, from type to type, in the order and at the time in which Cinder showed it
    const reported = moves.filter((m) => m.hasMoved)
    const path = (list: readonly { claim: string; from: string; to: string }[]) =>
      CLAIMS.map((name) => ({
        name,
        path: list.filter((m) => m.claim === name).map(({ from, to }) => `${from} to ${to}`),
      }))
    expect(path(reported)).toEqual(path(week.truth))
    for (const name of CLAIMS) {
      const truth = week.truth.filter((m) => m.claim === name)
      for (const [i, { began, ended }] of reported.filter((m) => m.claim === name).entries()) {
        expect(began).toBeLessThanOrEqual(truth[i]?.before ?? 0)
        expect(ended).toBeGreaterThanOrEqual(truth[i]?.after ?? Infinity)
      }
    }

    // what Cinder was asked for is what the lines say was asked, and every call has an end
    const journal = week.stage.cloud
      .journal()
      .filter((e) => JSON.stringify(e.body ?? '').includes('os-retype'))
    const asked = new Map(journal.map((e) => [e.globalRequestId, e.status]))
    const ids = moves.map((m) => m.id)
    expect([...asked.keys()].filter((id) => !ids.includes(id))).toEqual([])
    expect(moves.filter((m) => m.reason === undefined)).toEqual([])
    const accepted = moves.filter((m) => m.outcome === 'success')
    expect(accepted.filter((m) => asked.get(m.id) !== 202)).toEqual([])
    const neverMade = moves.filter((m) => m.reason === 'NotSent' && m.outcome === undefined)
    expect(neverMade.filter((m) => asked.has(m.id))).toEqual([])
    expect(week.stage.witness.violations()).toEqual([])
  }, 300_000)
})
