import { totalmem } from 'node:os'
import { collectDefaultMetrics, Gauge } from 'prom-client'
import { METRIC_PREFIX } from '../metrics.ts'
import type { Registry } from '../metrics.ts'

/** What Node.js reports this process, and how much memory its container allows. */
export function registerProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry })
  // gauges whose names say counter; the same numbers stand by type
  for (const kind of ['handles', 'requests', 'resources'])
    registry.removeSingleMetric(`nodejs_active_${kind}_total`)
  const limit = new Gauge({
    name: `${METRIC_PREFIX}memory_limit_bytes`,
    help: 'Memory that the container allows the process; missing where there is no limit.',
    registers: [registry],
  })
  limit.remove()
  const allowed = process.constrainedMemory()
  // without a limit it is 0, or the largest number that the kernel can write
  if (allowed > 0 && allowed <= totalmem()) limit.set(allowed)
}
