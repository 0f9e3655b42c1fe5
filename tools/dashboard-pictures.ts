import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { DASHBOARDS } from './monitoring/dashboards/dashboards.ts'
import { command } from '../test/lab/command.ts'
import { PROMETHEUS, startPrometheus } from '../test/lab/prometheus-server.ts'
import type { View } from '../test/monitoring/ask.ts'
import { page } from '../test/monitoring/render/page.ts'
import { SAMPLE_SECONDS, simulatedDays } from '../test/monitoring/render/simulated-days.ts'

/**
 * Draws the dashboards without Grafana, with their queries, units, legends, thresholds and layout. Needs chromium.
 * What a Prometheus knows: `node tools/dashboard-pictures.ts --prometheus http://127.0.0.1:9090 --from 1795279280
 * --to 1795279700 --step 5 --scrape 5 --var cluster=x --var volume_id=y --out pictures [couchestor-fleet …]`.
 * Without an address: four simulated days of the real controller, in a real Prometheus of their own.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    prometheus: { type: 'string' },
    from: { type: 'string' },
    to: { type: 'string' },
    step: { type: 'string', default: '60' },
    scrape: { type: 'string', default: '30' },
    var: { type: 'string', multiple: true, default: [] },
    out: { type: 'string', default: '.' },
    // of the picture, from the top of the page; all of it when left out
    height: { type: 'string' },
  },
})

const EVERYTHING = { cluster: '.*', job: '.*', policy: '.*', namespace: '.*', claim: '.*' }

function variables(given: Readonly<Record<string, string>>): View['variables'] {
  const { volume_id = '' } = given
  const serial = volume_id.slice(0, 20)
  return { ...EVERYTHING, volume_id, serial, io_unit_kib: '256', ...given }
}

if (values.prometheus === undefined) {
  const { history, from, to, volumeId } = await simulatedDays()
  const prometheus = await startPrometheus(PROMETHEUS[0], history)
  try {
    const times = { from, to, step: 720, scrapeInterval: SAMPLE_SECONDS }
    const known = variables({ job: 'couchestor', volume_id: volumeId })
    await draw({ prometheusUrl: prometheus.url, variables: known, ...times })
  } finally {
    await prometheus.stop()
  }
} else {
  const to = Number(values.to ?? Math.floor(Date.now() / 1000))
  const given = Object.fromEntries(values.var.map((pair) => pair.split('=') as [string, string]))
  await draw({
    prometheusUrl: values.prometheus,
    variables: variables(given),
    from: Number(values.from ?? to - 3600),
    to,
    step: Number(values.step),
    scrapeInterval: Number(values.scrape),
  })
}

async function draw(view: View): Promise<void> {
  mkdirSync(values.out, { recursive: true })
  const chosen = DASHBOARDS.filter((d) => positionals.length === 0 || positionals.includes(d.uid))
  for (const d of chosen) {
    const drawn = await page(d, view)
    const file = join(values.out, `${d.uid}.html`)
    writeFileSync(file, drawn.html)
    const height = Number(values.height ?? drawn.height)
    await photograph(file, join(values.out, `${d.uid}.png`), { ...drawn, height })
  }
}

async function photograph(
  file: string,
  picture: string,
  { width, height }: { readonly width: number; readonly height: number },
): Promise<void> {
  const profile = mkdtempSync(join(tmpdir(), 'couchestor-chromium-'))
  const quiet = ['background-networking', 'component-update', 'sync', 'gpu', 'quic']
  await command('chromium', [
    '--headless',
    '--no-sandbox',
    '--no-first-run',
    ...quiet.map((what) => `--disable-${what}`),
    '--hide-scrollbars',
    `--user-data-dir=${profile}`,
    `--window-size=${width},${height}`,
    `--screenshot=${picture}`,
    `file://${file}`,
  ])
  rmSync(profile, { recursive: true, force: true })
}
