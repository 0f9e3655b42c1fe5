import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { command } from './command.ts'
import { theLab } from './env.ts'
import { eventually } from './eventually.ts'

export type Labels = Readonly<Record<string, string>>

/** One series to back-fill; times in seconds since 1970, oldest first. */
export type History = {
  readonly name: string
  readonly labels: Labels
  readonly samples: readonly { readonly at: number; readonly value: number }[]
}

export type Sample = { readonly labels: Labels; readonly at: number; readonly value: number }

/** An instant query at `at` (seconds since 1970; default the server's now). Throws on an error answer. */
export async function query(promql: string, at?: number): Promise<Sample[]> {
  const time: Record<string, string> = at === undefined ? {} : { time: String(at) }
  const body = new URLSearchParams({ query: promql, ...time })
  const res = await fetch(`${theLab().prometheusUrl}/api/v1/query`, { method: 'POST', body })
  const answer = (await res.json()) as {
    error?: string
    data?: { result: { metric: Labels; value: [number, string] }[] }
  }
  if (answer.data === undefined) throw new Error(`${promql}: ${res.status} ${answer.error ?? ''}`)
  return answer.data.result.map((r) => ({
    labels: r.metric,
    at: r.value[0],
    value: Number(r.value[1]),
  }))
}

/**
 * Writes history into the running Prometheus and waits until the last sample of every series is queryable: it looks for new
 * blocks once a minute, so this takes up to 70 s; give all series in one call. Keeps 30 days.
 */
export async function backfill(series: readonly History[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'couchestor-backfill-'))
  try {
    const file = join(folder, 'history.om')
    writeFileSync(file, openMetrics(series))
    const data = join(theLab().state, 'prometheus', 'data')
    const args = ['tsdb', 'create-blocks-from', 'openmetrics', '--quiet', file, data]
    await command('promtool', args, { env: theLab().env })
  } finally {
    rmSync(folder, { recursive: true })
  }
  for (const one of series) await queryable(one)
}

async function queryable({ name, labels, samples }: History): Promise<void> {
  const last = samples.at(-1)
  if (last === undefined) return
  await eventually(
    `back-filled ${name}`,
    async () => (await query(`${name}${selector(labels)}`, last.at)).length > 0,
    280,
    1000,
  )
}

/** The OpenMetrics text of the series: those of one name together, as its grammar demands. */
export function openMetrics(series: readonly History[]): string {
  const byName = Map.groupBy(series, (s) => s.name)
  const lines = [...byName].flatMap(([name, all]) => [
    `# TYPE ${name} unknown`,
    ...all.flatMap(({ labels, samples }) =>
      samples.map((s) => `${name}${selector(labels)} ${numberText(s.value)} ${s.at}`),
    ),
  ])
  return [...lines, '# EOF', ''].join('\n')
}

function numberText(value: number): string {
  return value === Infinity ? '+Inf' : String(value)
}

function selector(labels: Labels): string {
  const pairs = Object.entries(labels).map(([k, v]) => `${k}=${JSON.stringify(v)}`)
  return `{${pairs.join(',')}}`
}

/**
 * Makes Prometheus scrape `address` ("127.0.0.1:9105") every 5 s with the given labels; seen within 5 s, no reload.
 * Gives the way to end it.
 */
export function scrapeTarget(name: string, address: string, labels: Labels = {}): () => void {
  const file = join(theLab().state, 'prometheus', 'targets', `${name}.json`)
  writeFileSync(file, JSON.stringify([{ targets: [address], labels }]))
  return () => rmSync(file, { force: true })
}
