import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { EXPORTER_FLAGS } from '../../src/main/exporter-process.ts'
import { SKIP_REASONS } from '../../src/exporter/fleet-counters.ts'
import { exporterPage } from '../../tools/metrics-catalogue.ts'
import { documentedSection } from './documented-section.ts'

const page = readFileSync('docs/exporter.md', 'utf8')
/** First cells of the tables, without what follows in the cell. */
const cells = [...page.matchAll(/^\| `([^`]+)`/gm)].map((m) => m[1]!)

it('docs/exporter.md names every reason why a volume has no counters', () => {
  const reasons = cells.filter((cell) => cell in SKIP_REASONS)
  expect(reasons.toSorted()).toEqual(Object.keys(SKIP_REASONS).toSorted())
})

it('docs/exporter.md names every metric of the exporter', () => {
  const names = [...exporterPage().matchAll(/^# TYPE (\S+)/gm)].map((m) => m[1]!)
  expect(cells.filter((cell) => cell.startsWith('couchestor_')).toSorted()).toEqual(
    names.toSorted(),
  )
})

it('docs/exporter.md names every flag', () => {
  const flags = cells.filter((cell) => cell.startsWith('--')).map((cell) => cell.split(' ')[0])
  expect(flags).toEqual(Object.keys(EXPORTER_FLAGS).map((name) => `--${name}`))
})

it('docs/exporter.md gives a section of config.yaml that the controller takes', () => {
  const { preset, queries, scrapeIntervalMs } = documentedSection()
  expect(preset).toBe('custom')
  expect(scrapeIntervalMs).toBe(300_000)
  for (const query of Object.values(queries ?? {})) expect(query).toContain('{{range}}')
})
