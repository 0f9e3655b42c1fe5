import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { parseExporterConfig } from '../../src/exporter/config.ts'
import { createExporter } from '../../src/exporter/exporter.ts'
import { createProjectReader } from '../../src/exporter/project-reader.ts'
import { createLog } from '../../src/log.ts'
import { readCredentials } from '../../src/openstack/credentials.ts'
import { createSession } from '../../src/openstack/session.ts'
import { createCloud } from '../../src/sim/cloud/cloud.ts'
import type { PolledDisk } from '../../src/sim/gnocchi/store.ts'
import { inProcess } from '../../src/sim/server.ts'
import { WORLD_ORIGINS } from '../../src/sim/world.ts'
import { createVirtualClock } from '../virtual-clock.ts'

const MINUTE = 60
const HOUR = 60 * MINUTE
/** On a whole five minutes. */
const START = 1_800_000_000
const READS = 'couchestor_gnocchi_volume_reads_completed_total'
const SCRAPE_MS = 9500

/** The exporter with its real clients, on a simulated cloud whose Ceilometer polls every five minutes. */
class Stage {
  readonly clock = createVirtualClock(START * 1000)
  readonly cloud = createCloud({ clock: this.clock, origin: WORLD_ORIGINS })
  readonly seams = this.cloud.seams
  readonly log: string[] = []
  readonly exporter

  constructor(configText = '') {
    const { id, secret } = this.seams.operator
    const log = createLog('info', { write: (line) => void this.log.push(line) })
    const session = createSession({
      http: inProcess({
        [WORLD_ORIGINS.identity]: this.cloud.keystone,
        [WORLD_ORIGINS.volume]: this.cloud.cinder,
        [WORLD_ORIGINS.metric]: this.cloud.gnocchi,
      }),
      credentials: readCredentials({
        env: {
          OS_AUTH_URL: `${WORLD_ORIGINS.identity}/v3`,
          OS_APPLICATION_CREDENTIAL_ID: id,
          OS_APPLICATION_CREDENTIAL_SECRET: secret,
        },
      }),
      clock: this.clock,
      random: () => 0.5,
      log,
    })
    const config = parseExporterConfig(configText, 'ceilometer.yaml')
    this.exporter = createExporter({
      read: createProjectReader({ config, session, clock: this.clock, log }),
      periodSeconds: config.periodSeconds,
      clock: this.clock,
      log,
      signal: new AbortController().signal,
    })
  }

  /** A volume attached now, whose disk is polled from now on unless `disk` is undefined. */
  attached(disk: Partial<PolledDisk> | undefined, serverId: string = randomUUID(), device = 'vdb') {
    const { id } = this.seams.addVolume({ sizeGiB: 1, type: 'couchestor-hot' })
    this.seams.attach(id, serverId, `/dev/${device}`)
    if (disk !== undefined)
      this.seams.pollDisk({ serverId, device, iops: 10, from: this.now(), ...disk })
    return { id, serverId }
  }

  now(): number {
    return this.clock.now() / 1000
  }

  async after(seconds: number): Promise<string> {
    await this.clock.advance(seconds * 1000)
    let answered = false
    const page = this.exporter.scrape(SCRAPE_MS).finally(() => (answered = true))
    await this.clock.settle()
    if (!answered) await this.clock.advance(SCRAPE_MS)
    return page
  }

  /** Requests that reached a service. */
  asked(service: string): number {
    return this.seams.journal().filter((e) => e.service === service).length
  }
}

/** Reads of a volume and their time in seconds; undefined when the page shows none. */
function readsOf(page: string, id: string): { value: number; at: number } | undefined {
  const line = page.split('\n').find((l) => l.startsWith(`${READS}{volume_id="${id}"`))
  if (line === undefined) return undefined
  const [at, value] = line.split(' ').toReversed().map(Number)
  return { value: value!, at: at! / 1000 }
}

const reasonOf = (page: string, id: string) =>
  new RegExp(`skipped_info{volume_id="${id}",reason="(\\w+)"} 1`).exec(page)?.[1]
const state = (page: string, name: string) =>
  Number(new RegExp(`exporter_volumes{state="${name}"} (\\d+)`).exec(page)?.[1])

it('shows the counter of each period once it is over, and no period of before the attachment', async () => {
  const stage = new Stage()
  const { id } = stage.attached({})
  expect(reasonOf(await stage.after(5 * MINUTE), id)).toBe('young')
  const polled = await stage.after(6 * MINUTE)
  // half of ten operations a second, at the second poll of two
  expect(readsOf(polled, id)).toEqual({ value: 10 * 300 * 0.5, at: START + 10 * MINUTE })
  const later = await stage.after(HOUR)
  expect(readsOf(later, id)).toEqual({ value: 13 * 10 * 300 * 0.5, at: START + 70 * MINUTE })
  expect(state(later, 'measured')).toBe(1)
})

it('drops a volume that is detached, while its disk stays in Gnocchi', async () => {
  const stage = new Stage()
  const { id } = stage.attached({})
  expect(readsOf(await stage.after(HOUR), id)).toBeDefined()
  stage.seams.detach(id)
  const page = await stage.after(MINUTE)
  expect(page).not.toContain(id)
  expect(state(page, 'detached')).toBe(1)
  expect(page).toContain('couchestor_exporter_unmapped_disks 1\n')
})

it('charges nothing of the volume before to the one that is attached under its name', async () => {
  const stage = new Stage()
  const before = stage.attached({ iops: 5000 })
  await stage.after(HOUR)
  stage.seams.detach(before.id)
  const { id } = stage.attached(undefined, before.serverId)
  const page = await stage.after(2 * MINUTE)
  expect(reasonOf(page, id)).toBe('young')
  expect(readsOf(page, id)).toBeUndefined()
})

it('drops a volume whose polls have stopped, and says why', async () => {
  const stage = new Stage()
  const silentAt = START + HOUR
  const { id } = stage.attached({ lost: (at) => at > silentAt })
  const steady = stage.attached({})
  expect(readsOf(await stage.after(HOUR + 10 * MINUTE), id)?.at).toBe(silentAt + 5 * MINUTE)
  const page = await stage.after(20 * MINUTE)
  expect(readsOf(page, id)).toBeUndefined()
  expect(['stale', 'no_measures']).toContain(reasonOf(page, id))
  expect(readsOf(page, steady.id)).toBeDefined()
})

it('reports how long Gnocchi has had no new measure, also when none is shown any more', async () => {
  const stage = new Stage()
  const silentAt = START + HOUR
  const { id } = stage.attached({ lost: (at) => at > silentAt })
  const age = (page: string) => Number(/newest_measure_age_seconds (\d+)/.exec(page)?.[1])
  await stage.after(HOUR + 10 * MINUTE)
  expect(age(await stage.after(HOUR))).toBe(HOUR + 5 * MINUTE)
  stage.seams.detach(id)
  expect(await stage.after(MINUTE)).not.toContain('newest_measure_age_seconds')
})

it('shows counters that began again as they stand', async () => {
  const stage = new Stage()
  const { id } = stage.attached({ resetAt: START + HOUR })
  const full = readsOf(await stage.after(HOUR), id)
  const again = readsOf(await stage.after(10 * MINUTE), id)
  expect(again!.value).toBeLessThan(full!.value)
})

it.each<[string, Partial<PolledDisk> | undefined, string]>([
  ['that Gnocchi does not know', undefined, 'no_resource'],
  ['whose archive policy has other granularities', { archivePolicy: 'high' }, 'no_granularity'],
])('names a volume %s, and shows the others', async (_, disk, reason) => {
  const stage = new Stage()
  const odd = stage.attached(disk)
  const fine = [1, 2, 3].map(() => stage.attached({}).id)
  const page = await stage.after(HOUR)
  expect(reasonOf(page, odd.id)).toBe(reason)
  for (const id of fine) expect(readsOf(page, id)).toBeDefined()
})

it('reads the granularity that aggregation_period names', async () => {
  const stage = new Stage('aggregation_period: "60"')
  const { id } = stage.attached({ archivePolicy: 'high', everySeconds: 60 })
  expect(readsOf(await stage.after(HOUR), id)?.at).toBe(START + HOUR - MINUTE)
})

it('asks one question per hundred disks, whatever else there is', async () => {
  const stage = new Stage()
  for (let i = 0; i < 350; i += 1) stage.attached({})
  await stage.after(HOUR)
  stage.seams.clearJournal()
  expect(state(await stage.after(5 * MINUTE), 'measured')).toBe(350)
  expect(stage.asked('gnocchi')).toBe(4)
})

it.each([
  ['Gnocchi is away', (s: Stage) => s.seams.setDown('gnocchi', true)],
  ['Cinder is away', (s: Stage) => s.seams.setDown('cinder', true)],
  [
    'Keystone is away and the token ends',
    (s: Stage) => {
      s.seams.setDown('keystone', true)
      s.seams.expireTokens()
    },
  ],
  [
    'the credential is taken back',
    (s: Stage) => {
      s.seams.removeAppCredential(s.seams.operator.id)
      s.seams.expireTokens()
    },
  ],
])('shows no volume while %s, and says each cause once', async (_, fault) => {
  const stage = new Stage()
  const { id } = stage.attached({})
  await stage.after(HOUR)
  fault(stage)
  // a login that is tried again and again counts as slow for half a minute
  await stage.after(MINUTE)
  for (let i = 0; i < 6; i += 1) {
    const page = await stage.after(MINUTE)
    expect(page).toContain('couchestor_exporter_up 0\n')
    expect(page).not.toContain(id)
    expect(page).not.toContain('couchestor_exporter_volumes')
  }
  const causes = stage.log
    .filter((l) => l.includes('"level":"error"'))
    .map((l) => (JSON.parse(l) as { error: string }).error)
  expect(causes.length).toBeGreaterThan(0)
  // that a login is slow, and then what it failed by
  expect(causes.length).toBeLessThan(3)
  expect(new Set(causes).size).toBe(causes.length)
  expect(stage.log.join('')).not.toContain(stage.seams.operator.secret)
})

it('answers at once when Gnocchi refuses, since the next scrape is the next try', async () => {
  const stage = new Stage()
  stage.attached({})
  await stage.after(HOUR)
  stage.seams.setDown('gnocchi', true)
  await stage.clock.advance(MINUTE * 1000)
  let answered = false
  void stage.exporter.scrape(SCRAPE_MS).finally(() => (answered = true))
  await stage.clock.settle()
  expect(answered).toBe(true)
})

it('shows all volumes again at the first scrape after an outage, and lost no measure', async () => {
  const stage = new Stage()
  const { id } = stage.attached({})
  await stage.after(HOUR)
  stage.seams.setDown('gnocchi', true)
  await stage.after(3 * MINUTE)
  stage.seams.setDown('gnocchi', false)
  expect(readsOf(await stage.after(4 * MINUTE), id)?.at).toBe(START + HOUR + 5 * MINUTE)
})

it('goes on with a new token when the old one is refused', async () => {
  const stage = new Stage()
  const { id } = stage.attached({})
  await stage.after(HOUR)
  stage.seams.expireTokens()
  expect(readsOf(await stage.after(MINUTE), id)).toBeDefined()
})

it('answers in time when Gnocchi is slow, with what it had, and has the rest at the next scrape', async () => {
  const stage = new Stage()
  const { id } = stage.attached({})
  await stage.after(HOUR)
  const delay = { kind: 'delay', ms: 12_000 } as const
  stage.seams.addFault({ service: 'gnocchi', path: /aggregates/, action: delay })
  expect(readsOf(await stage.after(2 * MINUTE), id)?.at).toBe(START + HOUR - 5 * MINUTE)
  expect(readsOf(await stage.after(5 * MINUTE), id)?.at).toBe(START + HOUR + 5 * MINUTE)
})
