import type { CatalogueMetric, Process } from './metrics-catalogue.ts'
import { table } from './reasons-reference.ts'

const INTRODUCTION = `# Metrics

Every metric of \`couchestor controller\`, \`agent\` and \`exporter\`. Made from the code that exports them by
\`npm run generate\`.

Ports: controller 8080, agent 9106, exporter 9105, path \`/metrics\`. Metrics with the label \`policy\` and all others that
describe the fleet come from the leader alone; a standby exports what concerns its own process. No label names a claim or
a volume except in the two sections per volume. Money is in the unit of the prices of the policy. Label \`name\` of
\`workqueue_*\` and \`controller\` of \`controller_runtime_*\` is \`moves\`, \`claims\` or \`annotations\`.
`

type Section = {
  readonly title: string
  readonly text?: string
  readonly takes: (m: CatalogueMetric) => boolean
}

const PER_VOLUME_TEXT = `Off by default. \`own_metrics.per_volume: true\` in config.yaml switches them on, without a restart: five series for
each managed volume, from the leader. A volume that goes takes its series with it; a new reason or tier is a new series
of \`couchestor_volume_info\`.

They cost about 550 bytes of the page and 6 µs per volume and scrape: 1,000 volumes add 0.55 MB and 6 ms, 10,000 volumes
5.5 MB and 170 ms (\`npm run bench\`; other work gets its turn meanwhile). Above some thousand volumes scrape less often,
once a minute or two: verdicts change with each window, not with each scrape.`

const PER_VOLUME = /^couchestor_volume_/

const only = (process: Process) => (m: CatalogueMetric) =>
  m.processes[0] === process && m.name.startsWith('couchestor_') && !PER_VOLUME.test(m.name)

/** A metric stands in the first section that takes it. */
const SECTIONS: readonly Section[] = [
  { title: 'Controller', takes: only('controller') },
  {
    title: 'Controller, shared names',
    text: 'Names that stock dashboards for Kubernetes controllers know.',
    takes: (m) => /^(workqueue|controller_runtime|rest_client|leader_election)_/.test(m.name),
  },
  { title: 'Agent', takes: only('agent') },
  { title: 'Exporter', takes: only('exporter') },
  {
    title: 'Agent, per volume',
    text: 'Counters of each Cinder disk of the node. Rates are made of them where they are read.',
    takes: (m) => PER_VOLUME.test(m.name) && m.processes[0] === 'agent',
  },
  {
    title: 'Controller, per volume',
    text: PER_VOLUME_TEXT,
    takes: (m) => PER_VOLUME.test(m.name) && m.processes[0] === 'controller',
  },
  {
    title: 'Process',
    text: 'What the process and Node.js report about themselves.',
    takes: () => true,
  },
]

/** docs/reference-metrics.md */
export function metricsReference(catalogue: readonly CatalogueMetric[]): string {
  const sectionOf = (m: CatalogueMetric) => SECTIONS.find((s) => s.takes(m))!
  const bySection = Map.groupBy(catalogue, sectionOf)
  const parts = SECTIONS.flatMap((section) => {
    const metrics = bySection.get(section)
    return metrics === undefined ? [] : [sectionText(section, metrics)]
  })
  return `${[INTRODUCTION, ...parts].join('\n').trimEnd()}\n`
}

function sectionText({ title, text }: Section, metrics: readonly CatalogueMetric[]): string {
  const rows = metrics.map((m) => [
    `\`${m.name}\``,
    m.type,
    m.labels.map((l) => `\`${l}\``).join(', '),
    unitOf(m.name),
    m.processes.join(', '),
    sentence(m.help),
  ])
  const head = ['Name', 'Type', 'Labels', 'Unit', 'Process', 'Meaning']
  return [`## ${title}`, '', ...(text === undefined ? [] : [text, '']), ...table(head, rows)].join(
    '\n',
  )
}

const UNITS: readonly (readonly [RegExp, string])[] = [
  [/_timestamp_seconds$|_start_time_seconds$/, 'Unix time'],
  [/_seconds(_total)?$/, 'seconds'],
  [/_bytes(_total)?$/, 'bytes'],
  [/_ratio$/, 'ratio'],
  [/_info$/, ''],
  [/_(cost|budget)(_total)?$/, 'money'],
  [/_iops$/, 'per second'],
  [/_(up|success|frozen|open|halted)$|_master_status$|_catching_up$/, '0 or 1'],
]

function unitOf(name: string): string {
  return UNITS.find(([pattern]) => pattern.test(name))?.[1] ?? 'count'
}

function sentence(help: string): string {
  return /[.!?]$/.test(help) ? help : `${help}.`
}
