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
  let text = ''
  for (const family of families) text += rendered(family)
  return text
}

/** `{volume_id="…",device="vdb"}` */
export function renderLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return `{${pairs.join(',')}}`
}

/** One array of whole strings and one join per family: text that grows by lines leaves several times its size as garbage. */
function rendered({ name, type, help, samples }: Family): string {
  if (samples.length === 0) return ''
  const parts: (string | number)[] = [`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`]
  for (const [labels, value, at] of samples) {
    parts.push(name, labels, ' ', value)
    if (at !== undefined) parts.push(' ', at)
    parts.push('\n')
  }
  return parts.join('')
}

function escaped(value: string): string {
  if (!/[\\"\n]/.test(value)) return value
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
