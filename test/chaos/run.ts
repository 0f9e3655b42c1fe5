import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isFinished } from '../../src/api/volume-migration.ts'
import type { VolumeMigration } from '../../src/api/volume-migration.ts'
import { OWN_FINALIZER } from '../../src/migration/snapshot-restore/manifest.ts'
import { callsIn } from '../audit-lines.ts'
import { ApiClient } from '../contract/apiserver-client.ts'
import { labTarget } from '../contract/target-apiserver.ts'
import type { Target } from '../contract/target-apiserver.ts'
import { cinderRows } from '../lab/cinder-database.ts'
import { endOfLog, postsSince } from '../lab/cinder-log.ts'
import { theLab } from '../lab/env.ts'
import { eventually } from '../lab/eventually.ts'
import { createFleet } from '../lab/fleet.ts'
import type { Fleet, FleetClaim } from '../lab/fleet.ts'
import { install } from '../lab/install.ts'
import { kubectl } from '../lab/kubectl.ts'
import { imageOf, rbdImages, sha256OfStart, writeRandom } from '../lab/rbd.ts'
import type { RbdImage } from '../lab/rbd.ts'
import { createReplacements } from '../lab/replacements.ts'
import type { Replacements } from '../lab/replacements.ts'
import { doubleActs } from './acts.ts'
import { Administrator, note } from './administrator.ts'
import { Controllers } from './controllers.ts'
import { Tally } from './figures.ts'
import type { ChaosFigures } from './figures.ts'
import type { ChaosPlan, PlannedMove, Trouble, Wave } from './plan.ts'
import { Progress } from './progress.ts'
import { allRunning, Troublemaker } from './troublemaker.ts'

const NAMESPACE = 'chaos'
const POLICY = 'chaos'
const TIERS = ['hot', 'warm', 'cold'] as const
const GIB_MIB = 1024
/** Enough to be in the middle of a copy for some seconds. */
const DATA_MIB = 128
/** After the last trouble. A replacement gives up its copy 204 s after its beginning at the latest. */
const PATIENCE_S = 480

/** `volumeId` and `tier` are those of now; `digest`: of all that was written. */
type Claim = FleetClaim & { volumeId: string; tier: number; digest: string }

/**
 * Moves claims while what moves them is killed, waits until everything runs and every move has ended, and compares. The
 * administrator's part of it is played by the runbooks.
 */
export async function playChaos(plan: ChaosPlan): Promise<ChaosFigures> {
  const run = new ChaosRun(plan)
  try {
    await run.setUp()
    for (const [i, wave] of plan.waves.entries()) await run.play(wave, i)
    await run.compare()
  } finally {
    await run.tearDown()
  }
  return run.tally.figures()
}

class ChaosRun {
  readonly tally: Tally
  readonly #plan: ChaosPlan
  readonly #folder = mkdtempSync(join(tmpdir(), 'couchestor-chaos-'))
  readonly #audit = join(this.#folder, 'audit.jsonl')
  readonly #target: Target
  readonly #api: ApiClient
  readonly #controllers: Controllers
  readonly #claims: Claim[] = []
  #fleet!: Fleet
  #replacements!: Replacements
  /** Ids in Cinder and names of images that were there before. */
  #known!: ReadonlySet<string>
  #logStart = 0

  constructor(plan: ChaosPlan) {
    this.#plan = plan
    this.tally = new Tally(plan.seed)
    this.#target = labTarget(theLab())
    this.#api = new ApiClient(this.#target.http, this.#target.url)
    this.#controllers = new Controllers({
      config: {
        audit: { path: this.#audit },
        // the former volumes go at once: what is left behind shows
        migration: { concurrent_migrations: 16, soak_mounted: '0s', soak_max_age: '1s' },
      },
    })
  }

  async setUp(): Promise<void> {
    await allRunning()
    await install()
    await kubectl(['apply', '-f', 'deploy/snapshot-restore.yaml'])
    this.#fleet = await createFleet(NAMESPACE)
    this.#replacements = await createReplacements(NAMESPACE)
    await this.#replacements.release()
    await this.#fleet.up()
    const images = Object.values(await rbdImages()).flat()
    this.#known = new Set([...(await cinderRows()).map(({ id }) => id), ...images])
    // as short as it may be: Cinder gets 102 s for a volume of 1 GiB
    await this.#fleet.policy(POLICY, { migration: { cinderOptions: { retypeTimeout: 10 } } })
    const names = Array.from({ length: this.#plan.claims }, (_, i) => `data-${i}`)
    const made = await Promise.all(names.map((name) => this.#fleet.claim(name, POLICY)))
    for (const claim of made) {
      this.#claims.push({ ...claim, tier: 0, digest: '' })
      await writeRandom(await this.#image(claim.volumeId), DATA_MIB)
    }
    this.#logStart = endOfLog()
    await this.#controllers.up()
  }

  async play(wave: Wave, number: number): Promise<void> {
    const named = wave.moves.map((move, i) => ({ move, name: nameOf(i, number) }))
    for (const claim of this.#claims) {
      const image = await this.#image(claim.volumeId)
      // a token of its own between two moves: an old copy cannot pass for the new one
      await writeRandom(image, 1, DATA_MIB + number)
      claim.digest = await sha256OfStart(image, GIB_MIB)
    }
    await Promise.all(named.map(({ move, name }, i) => this.#order(this.#claims[i]!, move, name)))
    const progress = new Progress(() => this.#moves(number))
    const maker = new Troublemaker(this.#controllers, (victim, how) => {
      note(`${victim} is ${how}`)
      this.tally.trouble(victim, how)
    })
    await Promise.all(wave.troubles.map((t) => this.#carryOut(t, number, progress, maker)))
    await progress.close()
    note(`wave ${number + 1} of ${this.#plan.waves.length}: everything runs again`)
    await this.#settle(number)
    for (const [i, { move, name }] of named.entries())
      await this.#check(this.#claims[i]!, move, name)
  }

  /** What can be said at the end only. */
  async compare(): Promise<void> {
    await this.#controllers.down()
    const { tally } = this
    tally.gaveWay = this.#controllers.gaveWay
    for (const crash of this.#controllers.crashes) tally.fault('crash', crash)
    const rows = (await cinderRows()).filter(({ id }) => !this.#known.has(id))
    const posts = postsSince(this.#logStart)
    const calls = callsIn(readFileSync(this.#audit, 'utf8'))
    for (const act of doubleActs({ calls, posts, rows })) tally.fault('doubleAct', act)
    const current = new Set(this.#claims.map(({ volumeId }) => volumeId))
    const left = async () =>
      (await cinderRows()).filter(
        ({ id, isDeleted }) => !isDeleted && !this.#known.has(id) && !current.has(id),
      )
    await eventually('Cinder has what the claims have', async () => (await left()).length === 0, 60)
      // what is left is said one by one
      .catch(() => {})
    for (const { kind, id, name, status } of await left())
      tally.fault('orphan', `${kind} ${id} ${name} (${status})`)
    const own = await Promise.all(this.#claims.map(({ volumeId }) => this.#image(volumeId)))
    const images = new Set(own.map(({ pool, image }) => `${pool}/${image}`))
    for (const [pool, there] of Object.entries(await rbdImages()))
      for (const image of there)
        if (!this.#known.has(image) && !images.has(`${pool}/${image}`))
          tally.fault('orphan', `image ${pool}/${image}`)
    for (const record of await this.#replacements.records()) tally.fault('orphan', record)
  }

  async tearDown(): Promise<void> {
    await this.#controllers.down()
    await allRunning()
    await this.#replacements.release()
    await this.#fleet.down()
    await this.#replacements.down()
    await kubectl(['delete', '--ignore-not-found', '-f', 'deploy/snapshot-restore.yaml'])
    await this.#target.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #order(claim: Claim, { strategy, shift }: PlannedMove, name: string): Promise<void> {
    const { status, body } = await this.#api.post(MOVES, {
      apiVersion: 'couchestor.io/v1alpha1',
      kind: 'VolumeMigration',
      metadata: { name, namespace: NAMESPACE },
      spec: {
        claim: { name: claim.name },
        to: shifted(claim.tier, shift),
        policy: POLICY,
        strategy,
      },
    })
    if (status !== 201) throw new Error(`VolumeMigration ${name}: ${JSON.stringify(body)}`)
  }

  async #carryOut(
    trouble: Trouble,
    wave: number,
    progress: Progress,
    maker: Troublemaker,
  ): Promise<void> {
    const { at, afterMs } = trouble
    if (at !== undefined) await progress.reached(nameOf(at.move, wave), at.step)
    await sleep(afterMs)
    await maker.strike(trouble)
  }

  async #moves(wave: number): Promise<readonly VolumeMigration[]> {
    const { status, body } = await this.#api.get(MOVES)
    if (status !== 200) throw new Error(`VolumeMigrations: ${status}`)
    return (body.items as VolumeMigration[]).filter((m) => m.metadata.name.endsWith(`-${wave}`))
  }

  async #settle(wave: number): Promise<void> {
    const administrator = new Administrator({
      fleet: this.#fleet,
      metrics: () => this.#controllers.metrics(),
      tally: this.tally,
    })
    const open = async () => (await this.#moves(wave)).filter((m) => !isFinished(m))
    const allEnded = async () => {
      const left = await open()
      for (const m of left) await administrator.visit(m)
      return left.length === 0
    }
    await eventually('every move has ended', allEnded, PATIENCE_S, 1000).catch((e: unknown) =>
      note(String(e)),
    )
    for (const { metadata, status } of await open())
      this.tally.fault(
        'neverEnded',
        `${metadata.name}: ${status?.step} ${status?.reason}: ${status?.message}`,
      )
  }

  async #check(claim: Claim, { shift }: PlannedMove, name: string): Promise<void> {
    const { tally } = this
    const move = (await this.#moves(Number(name.split('-').at(-1)))).find(
      (m) => m.metadata.name === name,
    )
    const { step, reason } = move?.status ?? {}
    const end = `${move?.spec.strategy} ${step} ${reason}`
    tally.ended(end)
    note(`${name}: ${end}`)
    const isBound = async () =>
      (await this.#replacements.claim(claim.name)).status.phase === 'Bound'
    await eventually(`${claim.name} is Bound`, isBound, 60).catch(() =>
      tally.fault('claimNotBound', name),
    )
    if ((await this.#replacements.claim(claim.name)).metadata.uid !== claim.uid)
      tally.fault('changedUid', name)
    const pv = await this.#replacements.persistentVolume(claim.pv)
    if (pv.metadata.finalizers?.includes(OWN_FINALIZER))
      tally.fault('orphan', `${name}: finalizer ${OWN_FINALIZER}`)
    claim.volumeId = pv.spec.csi.volumeHandle
    this.#fleet.adopt(claim.volumeId)
    const expected = step === 'Succeeded' ? shifted(claim.tier, shift) : TIERS[claim.tier]
    const volume = await this.#fleet.cinder.volume(claim.volumeId)
    if (volume?.status !== 'available' || volume.volume_type !== `couchestor-${expected}`)
      tally.fault(
        'wrongVolume',
        `${name} (${end}): ${claim.volumeId} is ${volume?.status} on ${volume?.volume_type}`,
      )
    const tier = TIERS.findIndex((t) => volume?.volume_type === `couchestor-${t}`)
    claim.tier = tier === -1 ? claim.tier : tier
    const digest = await sha256OfStart(await this.#image(claim.volumeId), GIB_MIB)
    if (digest === claim.digest) tally.digestsEqual++
    else tally.fault('unequalDigest', `${name} (${end}): volume ${claim.volumeId}`)
  }

  async #image(volumeId: string): Promise<RbdImage> {
    return imageOf(await this.#fleet.cinder.volume(volumeId))
  }
}

const MOVES = `/apis/couchestor.io/v1alpha1/namespaces/${NAMESPACE}/volumemigrations`

function nameOf(claim: number, wave: number): string {
  return `move-${claim}-${wave}`
}

function shifted(tier: number, shift: number): (typeof TIERS)[number] {
  return TIERS[(tier + shift) % TIERS.length] ?? 'hot'
}
