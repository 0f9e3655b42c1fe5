import type { ActivitySource } from '../../activity/types.ts'
import type { SourceName } from '../../api/names.ts'
import type { Config } from '../../api/config.ts'
import { nearest } from '../../api/nearest.ts'
import type { Clock } from '../../clock.ts'
import { messageOf, UserError } from '../../errors.ts'
import type { KubeClient } from '../../kube/types.ts'
import type { Flags, FlagSpec } from '../flags.ts'
import { clusterVolumes } from './cluster-volumes.ts'
import { decisionsOf } from './decisions.ts'
import { NO_GUARDS } from './guards.ts'
import { historyLoads } from './history-loads.ts'
import { htmlReport } from './html/page.ts'
import { jsonReport } from './json-report.ts'
import { guardsOfPolicy, readPolicy } from './policy-setting.ts'
import { createProgress } from './progress.ts'
import { makeReport } from './report.ts'
import type { Report, ReportOptions } from './report.ts'
import { RULES } from './rules/rules.ts'
import type { RuleName } from './rules/rules.ts'
import { loadsOf, parseScenario } from './scenario.ts'
import { textReport } from './text-report.ts'
import { parseTrace } from './trace.ts'

export const BACKTEST_FLAGS = {
  scenario: { value: 'FILE', help: 'tiers, prices and costs of a replay (JSON)' },
  trace: {
    value: 'FILE',
    help: 'recorded load, CSV or CSV.gz; overrides the one the scenario names',
  },
  policy: { value: 'FILE', help: "a StoragePolicy (YAML): replay the cluster's own history" },
  prometheus: {
    value: 'URL',
    url: true,
    help: 'where that history is; else what the policy names, by --config',
  },
  days: { value: 'N', whole: [1, 366], help: 'how many days of it', default: '14' },
  preset: {
    value: 'NAME',
    choices: ['agent', 'node-exporter', 'libvirt', 'ceph-rbd'],
    help: 'agent, node-exporter, libvirt, ceph-rbd; else as in --config',
  },
  start: {
    value: 'TIER',
    help: 'tier of volumes whose storage class names none; else the fastest',
  },
  size: { value: 'GIB', whole: [1, 1_000_000], help: 'size of volumes that no cluster knows' },
  kubeconfig: {
    value: 'FILE',
    help: 'reads claims and sizes from there; default: KUBECONFIG, ~/.kube/config, or none',
  },
  config: { value: 'FILE', help: 'config.yaml, for credentials of Prometheus and prices of tiers' },
  rule: { value: 'NAME', help: 'the rule that decides; "list" shows all' },
  guards: {
    help: 'hold the rule back as the policy would, and show what each guard costs',
    default: 'false',
  },
  out: { value: 'FILE', help: 'write the decisions (NDJSON)' },
  json: { value: 'FILE', help: 'write the report as JSON' },
  html: { value: 'FILE', help: 'write the report as one HTML page with charts' },
} as const satisfies Record<string, FlagSpec>

/** What the command needs of the world. */
export type BacktestDeps = {
  readonly clock: Clock
  /** Unzipped when the name ends in .gz. Rejects when there is no such file. */
  readFile(path: string): Promise<string>
  writeFile(path: string, text: string): Promise<void>
  /** `path` as it is, or beside the file `beside`. */
  resolve(beside: string, path: string): string
  readonly out: { write(text: string): unknown }
  readonly terminal: { readonly isTTY?: boolean; write(text: string): unknown }
  config(path: string | undefined): Promise<Config>
  /** The source of that name, of the volumes with these ids; undefined = those are not known. */
  source(
    name: SourceName,
    config: Config,
    volumes: readonly string[] | undefined,
  ): ActivitySource | Promise<ActivitySource>
  /** undefined = no cluster is configured. */
  kube(flags: Flags): Promise<Pick<KubeClient, 'list' | 'close'> | undefined>
  readonly signal?: AbortSignal
}

/** `couchestor backtest`. Writes what the flags ask for and prints the table. Resolves to the exit code. */
export async function runBacktest(flags: Flags, deps: BacktestDeps): Promise<number> {
  if (flags['rule'] === 'list') {
    deps.out.write(ruleList())
    return 0
  }
  // a typing mistake is reported before anything is read or asked
  ruleName(flags, 'couchestor')
  const progress = createProgress(deps.terminal, deps.clock)
  const show = (label: string) => (share: number) => progress.show(label, share)
  try {
    const input = await inputOf(flags, deps, show('reading'))
    const report = makeReport({ ...input, onProgress: show('replaying') })
    progress.end()
    await writeAll(flags, deps, report)
    deps.out.write(textReport(report))
    return 0
  } finally {
    progress.end()
  }
}

function ruleList(): string {
  const lines = Object.entries(RULES).map(([name, { about }]) => `  ${name.padEnd(46)}${about}\n`)
  return `Rules for --rule:\n${lines.join('')}`
}

type Input = Omit<ReportOptions, 'onProgress'>

function inputOf(
  flags: Flags,
  deps: BacktestDeps,
  onProgress: (share: number) => void,
): Promise<Input> {
  const given = (['scenario', 'policy'] as const).filter((f) => flags[f] !== undefined)
  if (given.length !== 1)
    throw new UserError(
      'FlagsInvalid',
      `give either --scenario FILE (a recorded trace) or --policy FILE (the history of the cluster)${given.length === 2 ? ', not both' : ''}`,
      { fix: 'see couchestor backtest --help' },
    )
  return given[0] === 'scenario'
    ? scenarioInput(flags, flags['scenario'] ?? '', deps)
    : policyInput(flags, flags['policy'] ?? '', deps, onProgress)
}

const DAY_SECONDS = 86_400
/** What a policy has that sets none: the price of the usual caution. */
const USUAL_GUARDS = {
  ...NO_GUARDS,
  minHistorySeconds: DAY_SECONDS,
  promoteCooldownSeconds: DAY_SECONDS,
  demoteCooldownSeconds: DAY_SECONDS,
}

async function scenarioInput(flags: Flags, path: string, deps: BacktestDeps): Promise<Input> {
  const scenario = parseScenario(await read(deps, 'scenario', path), path)
  const trace =
    flags['trace'] ??
    (scenario.trace === undefined ? undefined : deps.resolve(path, scenario.trace))
  if (trace === undefined)
    throw new UserError('FlagsInvalid', `${path} names no trace`, { fix: 'give --trace FILE' })
  const volumes = parseTrace(await read(deps, 'trace', trace), trace)
  const name = ruleName(flags, 'couchestor')
  return {
    setting: scenario.setting,
    loads: loadsOf(scenario, volumes, path),
    ruleName: name,
    rule: RULES[name].rule,
    ...(flags['guards'] === 'true' ? { guards: USUAL_GUARDS } : {}),
  }
}

async function policyInput(
  flags: Flags,
  path: string,
  deps: BacktestDeps,
  onProgress: (share: number) => void,
): Promise<Input> {
  const days = Number(flags['days'])
  const sizeGiB = flags['size'] === undefined ? undefined : Number(flags['size'])
  const given = await deps.config(flags['config'])
  const policy = readPolicy(await read(deps, 'policy', path), path, given, flags['start'])
  const asked = flags['prometheus'] === undefined ? policy.effective.metrics.source : 'Prometheus'
  const config = asked === 'Prometheus' ? withFlags(given, flags) : given
  const kube = await deps.kube(flags)
  const cluster = kube && (await clusterVolumes(kube, policy.policy))
  await kube?.close()
  if (cluster === undefined && sizeGiB === undefined)
    throw new UserError(
      'FlagsInvalid',
      'sizes of volumes are not known: no cluster is configured',
      {
        fix: 'give --kubeconfig FILE, or --size GIB for all',
      },
    )
  const volumes = cluster && new Map(cluster.volumes.map((v) => [v.id, v]))
  const source = await deps.source(asked, config, volumes && [...volumes.keys()])
  const history = await historyLoads({
    source,
    clock: deps.clock,
    days,
    policy,
    volumes,
    sizeGiB,
    onProgress,
    ...(deps.signal === undefined ? {} : { signal: deps.signal }),
  })
  const own = flags['rule'] === undefined
  const name = ruleName(
    flags,
    policy.effective.decision.algorithm === 'Threshold' ? 'threshold' : 'couchestor',
  )
  return {
    setting: policy.setting,
    loads: history.loads,
    ruleName: name,
    rule: own ? policy.rule : RULES[name].rule,
    ...(flags['guards'] === 'true' ? { guards: guardsOfPolicy(policy, history.startMs) } : {}),
    notices: [
      ...history.notices,
      ...(cluster?.all === true
        ? ['the policy selects nothing by itself: all Cinder volumes of the cluster are replayed']
        : []),
      ...(cluster === undefined
        ? ['no cluster was asked: every volume has the size of --size']
        : []),
      ...(policy.pricesAssumed
        ? [
            'no tier has costPerGiBMonth: prices are assumed as 2.8 to 1, so only ratios mean something',
          ]
        : []),
    ],
  }
}

const PRESETS = ['agent', 'node-exporter', 'libvirt', 'ceph-rbd'] as const

function withFlags(config: Config, flags: Flags): Config {
  const name = flags['preset']
  const preset = name === undefined ? config.prometheus.preset : PRESETS.find((p) => p === name)
  if (preset === undefined)
    throw new UserError('FlagsInvalid', `--preset: "${name}" is not one of ${PRESETS.join(', ')}`)
  const endpoint = flags['prometheus'] ?? config.prometheus.endpoint
  if (endpoint === undefined)
    throw new UserError(
      'FlagsInvalid',
      'give --prometheus URL, or --config with prometheus.endpoint',
    )
  return { ...config, prometheus: { ...config.prometheus, endpoint, preset } }
}

function ruleName(flags: Flags, usual: RuleName): RuleName {
  const name = flags['rule'] ?? usual
  const known = (Object.keys(RULES) as RuleName[]).find((rule) => rule === name)
  if (known !== undefined) return known
  const likely = nearest(name, Object.keys(RULES))
  throw new UserError(
    'FlagsInvalid',
    `--rule: there is no rule "${name}"${likely === undefined ? '' : ` (did you mean ${likely}?)`}`,
    { fix: 'see --rule list' },
  )
}

async function read(deps: BacktestDeps, flag: string, path: string): Promise<string> {
  try {
    return await deps.readFile(path)
  } catch (e) {
    throw new UserError(
      'BacktestFileUnreadable',
      `the ${flag} ${path} cannot be read (${messageOf(e)})`,
      { fix: `name a readable file with --${flag}` },
    )
  }
}

async function writeAll(flags: Flags, deps: BacktestDeps, report: Report): Promise<void> {
  const { setting, volumes } = report
  const files = [
    ['out', () => decisionsOf(setting, volumes)],
    ['json', () => jsonReport(report)],
    ['html', () => htmlReport(report)],
  ] as const
  for (const [flag, text] of files) {
    const path = flags[flag]
    if (path === undefined) continue
    try {
      await deps.writeFile(path, text())
    } catch (e) {
      throw new UserError(
        'BacktestFileUnwritable',
        `--${flag}: ${path} cannot be written (${messageOf(e)})`,
        { fix: 'name a writable file' },
      )
    }
  }
}
