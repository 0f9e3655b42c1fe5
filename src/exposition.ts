/** The media type of Prometheus' text format; Prometheus from 3 on refuses a scrape without it. */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** Labels as they are written, since the series of one thing share them; a time of its own in ms since the epoch, where it has one. */
export type Sample = readonly [labels: string, value: number, atMs?: number]

export type Family = {
  readonly name: string
  readonly type: 'counter' | 'gauge'
  readonly help: string
  readonly samples: readonly Sample[]
}

/** Families in Prometheus' text format 0.0.4; one without samples is left out. */
export function renderFamilies(families: readonly Family[]): string {
  return families.map(rendered).join('')
}

/** `{volume_id="…",device="vdb"}` */
export function renderLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return `{${pairs.join(',')}}`
}

function rendered({ name, type, help, samples }: Family): string {
  if (samples.length === 0) return ''
  const lines = samples.map(
    ([labels, value, at]) => `${name}${labels} ${value}${at === undefined ? '' : ` ${at}`}\n`,
  )
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`
}

function escaped(value: string): string {
  if (!/[\\"\n]/.test(value)) return value
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
