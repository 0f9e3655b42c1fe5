import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  AGENT_READ_BYTES,
  AGENT_READS,
  AGENT_WRITES,
  AGENT_WRITTEN_BYTES,
} from '../../src/activity/prometheus/presets.ts'
import { scrapeTarget } from './prometheus.ts'
import type { History } from './prometheus.ts'

/** A volume and the I/O operations per second it does, half of them writes, 4 KiB each. */
export type Load = { readonly volumeId: string; readonly iops: number }

const BYTES = 4096
const METRICS: readonly (readonly [string, number])[] = [
  [AGENT_READS, 0.5],
  [AGENT_WRITES, 0.5],
  [AGENT_READ_BYTES, 0.5 * BYTES],
  [AGENT_WRITTEN_BYTES, 0.5 * BYTES],
]

function labelsOf(volumeId: string): Readonly<Record<string, string>> {
  return { volume_id: volumeId, node: 'lab-node', device: `vd-${volumeId.slice(0, 8)}` }
}

/** The counters an agent would have shown from `from` to `until` (seconds), every `step` seconds. */
export function loadHistory(
  loads: readonly Load[],
  from: number,
  until: number,
  step: number,
): readonly History[] {
  const times = Array.from(
    { length: Math.floor((until - from) / step) + 1 },
    (_, i) => from + i * step,
  )
  return loads.flatMap(({ volumeId, iops }) =>
    METRICS.map(([name, share]) => ({
      name,
      labels: labelsOf(volumeId),
      samples: times.map((at) => ({ at, value: Math.round((at - from) * iops * share) })),
    })),
  )
}

/** Serves the same counters live, and makes Prometheus scrape them. Gives the way to end both. */
export async function serveLoads(
  name: string,
  loads: readonly Load[],
  from: number,
): Promise<() => Promise<void>> {
  const server = createServer((_req, res) => {
    const seconds = Date.now() / 1000 - from
    const lines = METRICS.flatMap(([metric, share]) => [
      `# TYPE ${metric} counter`,
      ...loads.map(({ volumeId, iops }) => {
        const labels = Object.entries(labelsOf(volumeId)).map(([k, v]) => `${k}="${v}"`)
        return `${metric}{${labels.join(',')}} ${Math.round(seconds * iops * share)}`
      }),
    ])
    res.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(`${lines.join('\n')}\n`)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const remove = scrapeTarget(name, `127.0.0.1:${port}`)
  return async () => {
    remove()
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
  }
}
