import { createPrometheus } from '../../src/sim/prometheus/prometheus.ts'
import type { Semantics } from '../../src/sim/prometheus/rate.ts'
import { serve } from '../../src/sim/server.ts'
import { createVirtualClock } from '../virtual-clock.ts'
import type { SeriesFixture } from './prometheus.fixtures.ts'
import { prometheusContract } from './prometheus.suite.ts'

const END = Date.UTC(2026, 0, 2) / 1000

async function startSim(series: readonly SeriesFixture[], semantics: Semantics) {
  const sim = createPrometheus({ clock: createVirtualClock((END + 6 * 3600) * 1000), semantics })
  for (const { name, labels, samples } of series) sim.seams.addSeries(name, labels, samples)
  const server = await serve(sim.handle)
  return { endpoint: server.url, stop: () => server.close() }
}

for (const semantics of ['2', '3'] as const)
  prometheusContract(`simulated Prometheus ${semantics}.x`, {
    end: END,
    run: '0123456789ab',
    start: (series) => startSim(series, semantics),
  })
