import { readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createPrometheusSource } from '../../src/activity/prometheus/source.ts'
import { createHttpClient } from '../../src/http.ts'
import { silentLog } from '../../src/log.ts'
import { systemClock } from '../../src/main/system-clock.ts'
import { GUIDE } from '../crds/manifests.ts'
import { documentedSection } from '../exporter/documented-section.ts'
import { cinderAdmin } from './cinder-admin.ts'
import type { CinderAdmin } from './cinder-admin.ts'
import { ageAttachments } from './cinder-database.ts'
import { command } from './command.ts'
import { describeLab } from './describe-lab.ts'
import { theLab } from './env.ts'
import { eventually } from './eventually.ts'
import { Ceilometer } from './gnocchi.ts'
import type { DiskLoad } from './gnocchi.ts'
import { buildBundles, startMetricsProcess, stopMetricsProcesses } from './metrics-process.ts'
import type { MetricsProcess } from './metrics-process.ts'
import { openstack } from './openstack.ts'
import { restart, signal } from './processes.ts'
import { query, scrapeTarget } from './prometheus.ts'

const READS = 'couchestor_gnocchi_volume_reads_completed_total'
const IOPS = 40
const POLL = 60
/** So many polls become known one after the other. */
const POLLS = 6

let cinder: CinderAdmin
let ceilometer: Ceilometer
let volumeId: string
let serverId: string
let disk: DiskLoad
let bundles: string
let folder: string
let exporter: MetricsProcess
let removeTarget: () => void
/** Ten minutes before the test, on the minute. */
let base: number
let gnocchiDown = false

/** Cloud variables of the guide's Deployment, and nothing else. */
function osEnvironment(over: Readonly<Record<string, string>> = {}): Record<string, string> {
  const names = ['OS_AUTH_URL', 'OS_APPLICATION_CREDENTIAL_ID', 'OS_APPLICATION_CREDENTIAL_SECRET']
  const { env } = theLab()
  return { ...Object.fromEntries(names.map((name) => [name, env[name] ?? ''])), ...over }
}

/** Attaches by Nova, as the CSI driver does; gives the device that Nova chose. */
async function attach(): Promise<string> {
  const nova = await openstack('operator', 'compute')
  const body = { volumeAttachment: { volumeId } }
  const path = `/servers/${serverId}/os-volume_attachments`
  const answer = await nova.request('POST', path, body)
  if (answer.status >= 300) throw new Error(JSON.stringify(answer))
  const volume = await cinder.volumeWhen(volumeId, 'is attached', (v) => v.attachments.length === 1)
  const { device } = volume.attachments[0] as { server_id: string; device: string }
  return device.replace(/^.*\//, '')
}

/** Nova refuses while it is at other work on the server, and gives the volume back as attached when it fails. */
async function detach(): Promise<void> {
  const nova = await openstack('operator', 'compute')
  await eventually(`volume ${volumeId} is detached`, async () => {
    const status = (await cinder.volume(volumeId))?.status
    if (status === 'in-use')
      await nova.request('DELETE', `/servers/${serverId}/os-volume_attachments/${volumeId}`)
    return status === 'available'
  })
}

/** The end of the i-th minute after `base`: the time that a measure of that minute is shown at. */
const endOf = (i: number) => base + (i + 1) * POLL
/** Half of the operations are reads; the disk was attached an hour before `base`. */
const readsAt = (i: number) => (3600 + i * POLL) * (IOPS / 2)
const selector = () => `${READS}{volume_id="${volumeId}"}`

/** Posts what was polled up to the i-th minute. */
const polled = (i: number) => ceilometer.poll(disk, base - 3600, base + i * POLL + 1, POLL)

async function inPrometheus(i: number) {
  return eventually(`the measure of minute ${i} in Prometheus`, async () => {
    const [sample] = await query(`timestamp(${selector()})`, endOf(i))
    if (sample?.value !== endOf(i)) return undefined
    return (await query(selector(), endOf(i)))[0]
  })
}

const healthIs = (value: number) =>
  eventually(`couchestor_exporter_up is ${value}`, async () => {
    const up = await query(`couchestor_exporter_up{instance="${exporter.address}"}`)
    return up[0]?.value === value
  })

describeLab('the exporter, on the real Gnocchi and Prometheus', () => {
  beforeAll(async () => {
    bundles = await buildBundles()
    cinder = await cinderAdmin()
    ceilometer = await Ceilometer.start()
    serverId = readFileSync(join(theLab().state, 'nova', 'server'), 'utf8').trim()
    volumeId = (await cinder.createVolume('couchestor-hot', 1, 'lab-exporter')).id
    const device = await attach()
    await ageAttachments([volumeId], 1)
    disk = { serverId, device, iops: IOPS }
    await ceilometer.disk(disk)
    base = Math.floor(Date.now() / 1000 / POLL) * POLL - 600
    await polled(0)
    folder = await mkdtemp(join(tmpdir(), 'couchestor-exporter-'))
    const guide = await readFile(join(GUIDE, 'ceilometer-integration.yaml'), 'utf8')
    const config = guide
      .replace('http://gnocchi-api.openstack.svc:8041', theLab().env['GNOCCHI_URL'] ?? '')
      .replace('aggregation_period: "300"', `aggregation_period: "${POLL}"`)
    await writeFile(join(folder, 'ceilometer.yaml'), config)
    const args = ['exporter', `--config=${join(folder, 'ceilometer.yaml')}`]
    exporter = await startMetricsProcess(bundles, args, osEnvironment())
    removeTarget = scrapeTarget('exporter-lab', exporter.address, { instance: exporter.address })
  })
  afterAll(async () => {
    removeTarget?.()
    await stopMetricsProcesses()
    if (gnocchiDown) await restart('gnocchi-api')
    await ceilometer?.removeAll()
    await detach().catch(() => {})
    await cinder.deleteVolume(volumeId)
    await rm(folder, { recursive: true, force: true })
    await rm(bundles, { recursive: true, force: true })
  })

  it('starts with the ConfigMap of the guide, and says in one line each what it uses instead', () => {
    const reported = exporter.text().match(/"msg":"ceilometer.yaml"/g)
    expect(reported).toHaveLength(7)
    expect(exporter.text()).toContain('8777')
  })

  it('shows each measure once, with its value, labels and time', async () => {
    for (let i = 0; i < POLLS; i += 1) {
      await polled(i)
      const sample = await inPrometheus(i)
      expect(sample?.value).toBe(readsAt(i))
      expect(sample?.labels).toMatchObject({ server_id: serverId, device: disk.device })
    }
    const scrapes = await query(`count_over_time(up{instance="${exporter.address}"}[10m])`)
    expect(scrapes[0]?.value).toBeGreaterThan(POLLS)
    const samples = await query(`count_over_time(${selector()}[1h])`)
    expect(samples.map((s) => s.value)).toEqual([POLLS])
  }, 800_000)

  it('leaves nothing standing longer than Prometheus looks back', async () => {
    const last = endOf(POLLS - 1)
    expect(await query(selector(), last + 299)).toHaveLength(1)
    expect(await query(selector(), last + 301)).toEqual([])
  })

  it('passes promtool check metrics', async () => {
    const page = await exporter.scrape()
    await command('promtool', ['check', 'metrics'], { input: page })
    expect(page).toContain(`${READS}{volume_id="${volumeId}"`)
  })

  it('gives the controller what it decides by', async () => {
    const source = createPrometheusSource({
      http: createHttpClient(),
      config: {
        endpoint: theLab().prometheusUrl,
        queryTimeoutMs: 10_000,
        preset: 'custom',
        custom: documentedSection().queries!,
        scrapeIntervalSeconds: POLL,
      },
      clock: systemClock,
      random: Math.random,
      log: silentLog,
    })
    const answer = await source.window({ endSeconds: endOf(POLLS - 1), windowSeconds: 300 })
    if (answer.kind === 'Down') throw new Error(answer.why)
    const activity = answer.volumes.get(volumeId)
    expect(activity?.operationsPerSecond).toBeCloseTo(IOPS, 3)
    expect(activity?.bytesPerSecond).toBeCloseTo(IOPS * 4096, 0)
    expect(activity?.coveragePercent).toBe(100)
  })

  it('shows a counter that began again as it stands, and Prometheus sees the reset', async () => {
    const from = base + POLLS * POLL
    await ceilometer.poll(disk, from, from + 1, POLL)
    expect((await inPrometheus(POLLS))?.value).toBe(0)
    const resets = await query(`resets(${selector()}[1h])`)
    expect(resets.map((r) => r.value)).toEqual([1])
  })

  it('shows no volume while Gnocchi is down, says so, and comes back by itself', async () => {
    const before = exporter.text().length
    const failures = () =>
      exporter
        .text()
        .slice(before)
        .match(/"error":".*cannot be read/g) ?? []
    gnocchiDown = true
    signal('gnocchi-api', 'SIGKILL')
    await healthIs(0)
    const page = await exporter.scrape()
    expect(page).toContain('couchestor_exporter_up 0\n')
    expect(page).not.toContain('couchestor_gnocchi_')
    expect(page).not.toContain('couchestor_exporter_volumes')
    await restart('gnocchi-api')
    gnocchiDown = false
    await healthIs(1)
    expect(await exporter.scrape()).toContain(`${READS}{volume_id="${volumeId}"`)
    await eventually('the failure is reported', () => Promise.resolve(failures().length > 0))
    // a question that was under way when Gnocchi died fails in another way than those after it: both are reported, each once
    expect(failures()).toEqual([...new Set(failures())])
  }, 500_000)

  it('drops a volume that was detached, though Gnocchi keeps its disk', async () => {
    await detach()
    await eventually(
      'the volume is gone',
      async () => !(await exporter.scrape()).includes(volumeId),
    )
    const before = await query(`count_over_time(${selector()}[1h])`)
    const from = base + POLLS * POLL
    await ceilometer.poll(disk, from, from + POLL + 1, POLL)
    const posted = Date.now() / 1000
    await eventually('a reading after that in Prometheus', async () => {
      const [at] = await query(`timestamp(couchestor_exporter_up{instance="${exporter.address}"})`)
      return Number(at?.value) > posted + POLL / 10
    })
    expect(await exporter.scrape()).not.toContain(volumeId)
    expect(await query(`count_over_time(${selector()}[1h])`)).toEqual([
      { ...before[0], at: expect.any(Number) as number },
    ])
  }, 500_000)

  it('ends by SIGTERM with code 0', async () => {
    expect(await exporter.stop()).toBe(0)
  })

  it('says once that Keystone refuses the credential, reports no secret, and lives', async () => {
    const secret = 'marker-secret-of-the-exporter'
    const env = osEnvironment({ OS_APPLICATION_CREDENTIAL_SECRET: secret })
    const refused = await startMetricsProcess(bundles, ['exporter'], env)
    for (let i = 0; i < 3; i += 1)
      expect(await refused.scrape()).toContain('couchestor_exporter_up 0\n')
    // with its end all that it has written is there
    expect(await refused.stop()).toBe(0)
    const errors = refused.text().match(/"level":"error".*/g)
    expect(errors).toHaveLength(1)
    expect(errors?.[0]).toContain('Keystone')
    expect(refused.text()).not.toContain(secret)
  })

  it('names what is missing where there is no credential', async () => {
    const nothing = await startMetricsProcess(bundles, ['exporter'], {
      HOME: '/nowhere',
    })
    expect(await nothing.scrape()).toContain('couchestor_exporter_up 0\n')
    expect(await nothing.stop()).toBe(0)
    expect(nothing.text()).toMatch(/OS_AUTH_URL \(or openstack.auth_url\) is missing/)
  })
})
