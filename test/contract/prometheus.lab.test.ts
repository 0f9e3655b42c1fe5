import { randomBytes } from 'node:crypto'
import { describe } from 'vitest'
import { lab } from '../lab/env.ts'
import { PROMETHEUS, startPrometheus } from '../lab/prometheus-server.ts'
import type { SeriesFixture } from './prometheus.fixtures.ts'
import { prometheusContract } from './prometheus.suite.ts'

const run = randomBytes(6).toString('hex')
// well inside the retention, and the window within one block of two hours
const end = Math.floor(Date.now() / 1000 / 7200) * 7200 - 12 * 3600 + 3600

describe.skipIf(lab === undefined).each(PROMETHEUS)('on a real Prometheus $version', (program) => {
  prometheusContract('Prometheus', {
    end,
    run,
    start: async (series) => {
      const { url, stop } = await startPrometheus(program, series.map(historyOf))
      return { endpoint: url, stop }
    },
  })
})

function historyOf({ name, labels, samples }: SeriesFixture) {
  return { name, labels, samples: samples.map(([at, value]) => ({ at, value })) }
}
