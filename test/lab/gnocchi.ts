import { openstack } from './openstack.ts'
import type { RestClient } from './openstack.ts'

/** A disk of a server with totals that grow evenly: half the operations are writes, 4 KiB each. */
export type DiskLoad = {
  readonly serverId: string
  /** Without its directory, such as vdb. */
  readonly device: string
  readonly iops: number
}

const BYTES = 4096
const SHARES: Readonly<Record<string, number>> = {
  'disk.device.read.requests': 0.5,
  'disk.device.write.requests': 0.5,
  'disk.device.read.bytes': 0.5 * BYTES,
  'disk.device.write.bytes': 0.5 * BYTES,
}
const POLICY = 'ceilometer-low-rate'
/** Measures in one request; more make Gnocchi's API work longer than it allows. */
const BATCH = 4000

/** Ceilometer's part in the lab: makes the resources and posts what it would have polled. */
export class Ceilometer {
  readonly #gnocchi: RestClient
  readonly #made = new Map<string, string>()

  private constructor(gnocchi: RestClient) {
    this.#gnocchi = gnocchi
  }

  static async start(): Promise<Ceilometer> {
    return new Ceilometer(await openstack('operator', 'metric'))
  }

  /** Makes the disk's resource with the four metrics Ceilometer polls. */
  async disk({ serverId, device }: Pick<DiskLoad, 'serverId' | 'device'>): Promise<void> {
    const id = `${serverId}-${device}`
    const metrics = Object.keys(SHARES).map((name) => [name, { archive_policy_name: POLICY }])
    const body = { id, name: device, instance_id: serverId, metrics: Object.fromEntries(metrics) }
    const answer = await this.#ask('POST', '/v1/resource/instance_disk', body)
    this.#made.set(id, String(answer['id']))
  }

  /** Totals at each poll from `from` to `until` (seconds, `until` excluded), counted from `from`. */
  async poll(load: DiskLoad, from: number, until: number, every: number): Promise<void> {
    const count = Math.ceil((until - from) / every)
    const times = Array.from({ length: count }, (_, i) => from + i * every)
    for (let i = 0; i < times.length; i += BATCH / 4) {
      const part = times.slice(i, i + BATCH / 4)
      const measures = Object.entries(SHARES).map(([name, share]) => [
        name,
        part.map((at) => ({ timestamp: at, value: Math.round((at - from) * load.iops * share) })),
      ])
      const body = { [`${load.serverId}-${load.device}`]: Object.fromEntries(measures) }
      await this.#ask('POST', '/v1/batch/resources/metrics/measures', body)
    }
  }

  /** Start (RFC 3339) of the newest period of the disk's read counter that metricd has worked through. */
  async newest({ serverId, device }: DiskLoad, granularity: number): Promise<string | undefined> {
    const id = this.#made.get(`${serverId}-${device}`)
    const path = `/v1/resource/instance_disk/${id}/metric/disk.device.read.requests/measures`
    const answer: unknown = await this.#ask('GET', `${path}?granularity=${granularity}`)
    return (answer as [string, number, number][]).at(-1)?.[0]
  }

  async removeAll(): Promise<void> {
    for (const id of this.#made.values())
      await this.#gnocchi.request('DELETE', `/v1/resource/instance_disk/${id}`)
    this.#made.clear()
  }

  async #ask(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
    const answer = await this.#gnocchi.request(method, path, body)
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`)
    return answer.body
  }
}
