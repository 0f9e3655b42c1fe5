import { randomBytes } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe } from 'vitest'
import { createHttpClient } from '../../src/http.ts'
import { sleep } from '../../src/clock.ts'
import { systemClock } from '../../src/main/system-clock.ts'
import type { Lab } from '../lab/env.ts'
import { lab } from '../lab/env.ts'
import type { SeriesFixture } from './prometheus.fixtures.ts'
import type { PrometheusBackend } from './prometheus.suite.ts'
import { prometheusContract } from './prometheus.suite.ts'

/** The server looks for new blocks once a minute. */
const VISIBLE_WITHIN_MS = 150_000

const run = randomBytes(6).toString('hex')
// behind the head block, well inside the retention, and the window within one block of two hours
const end = Math.floor(Date.now() / 1000 / 7200) * 7200 - 12 * 3600 + 3600

describe.skipIf(lab === undefined)('on the lab', () => {
  prometheusContract('Prometheus', { end, run, start: (series) => startOn(lab!, series) })
})

async function startOn(found: Lab, series: readonly SeriesFixture[]): Promise<PrometheusBackend> {
  backfill(found, series)
  await visible(found)
  return { endpoint: found.prometheusUrl, stop: () => forget(found) }
}

/** Makes blocks beside the database and moves them in whole, so that the server never sees half a block. */
function backfill(found: Lab, series: readonly SeriesFixture[]): void {
  const prometheus = join(found.state, 'prometheus')
  mkdirSync(prometheus, { recursive: true })
  const work = mkdtempSync(join(prometheus, `contract-${run}-`))
  try {
    const text = join(work, 'samples.txt')
    writeFileSync(text, openMetrics(series))
    const blocks = join(work, 'blocks')
    execFileSync('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', text, blocks], {
      env: { ...process.env, ...found.env },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    for (const block of readdirSync(blocks).filter((name) => /^[0-9A-Z]{26}$/.test(name)))
      renameSync(join(blocks, block), join(prometheus, 'data', block))
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function openMetrics(series: readonly SeriesFixture[]): string {
  const lines = series.flatMap(({ name, labels, samples }) => {
    const shown = Object.entries(labels)
      .map(([label, value]) => `${label}="${value}"`)
      .join(',')
    return samples.map(([seconds, value]) => `${name}{${shown}} ${numberText(value)} ${seconds}`)
  })
  return `${lines.join('\n')}\n# EOF\n`
}

function numberText(value: number): string {
  return value === Infinity ? '+Inf' : String(value)
}

async function visible(found: Lab): Promise<void> {
  const http = createHttpClient()
  const deadline = systemClock.monotonic() + VISIBLE_WITHIN_MS
  const query = encodeURIComponent(`count(contract_nan{contract_run="${run}"})`)
  try {
    while (systemClock.monotonic() < deadline) {
      const response = await http.request({
        method: 'GET',
        url: `${found.prometheusUrl}/api/v1/query?query=${query}&time=${end}`,
      })
      if ((await response.text()).includes('"value"')) return
      await sleep(systemClock, 500)
    }
  } finally {
    await http.close()
  }
  throw new Error(`the back-filled samples were not visible within ${VISIBLE_WITHIN_MS} ms`)
}

async function forget(found: Lab): Promise<void> {
  const http = createHttpClient()
  const match = encodeURIComponent(`{contract_run="${run}"}`)
  const response = await http.request({
    method: 'POST',
    url: `${found.prometheusUrl}/api/v1/admin/tsdb/delete_series?match[]=${match}`,
  })
  await response.text()
  await http.close()
}
