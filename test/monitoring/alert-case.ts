export type Labels = Readonly<Record<string, string>>

/** Values as promtool writes them: `0x60` is sixty-one zeros, `0+90x60` a counter. */
export type Series = { readonly series: string; readonly values: string }

/** An alert as people get it: labels beside alertname and severity, and what stands for the templates in its text. */
export type FiredAlert = {
  readonly labels: Labels
  readonly value?: string
  readonly queried?: string
}

export type AlertCase = {
  readonly alert: string
  /** Between two samples and two evaluations. Default 1m. */
  readonly interval?: '1h'
  readonly fires: {
    readonly series: readonly Series[]
    readonly at: string
    readonly fired: FiredAlert
  }
  readonly silent: readonly {
    readonly why: string
    readonly series: readonly Series[]
    readonly at: string
  }[]
}

export function series(name: string, labels: Labels, values: string): Series {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`)
  return { series: `${name}{${pairs.join(',')}}`, values }
}

/** What a scrape adds: `OWN` is what the installation has in common, `A` and `B` are its two replicas. */
export const OWN = { namespace: 'couchestor-system', job: 'couchestor-controller' }
export const A = { ...OWN, pod: 'couchestor-controller-a', instance: '10.0.0.1:8080' }
export const B = { ...OWN, pod: 'couchestor-controller-b', instance: '10.0.0.2:8080' }
export const POLICY = { policy: 'tiered' }
