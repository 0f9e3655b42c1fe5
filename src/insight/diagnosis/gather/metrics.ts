import type { ActivitySource, Fleet as Attached, WindowAnswer } from '../../../activity/types.ts'
import type { SourceName } from '../../../api/names.ts'
import { unavailableSource } from '../../../activity/unavailable.ts'
import type { Config } from '../../../api/config.ts'
import { messageOf } from '../../../errors.ts'
import type { Session } from '../../../openstack/session.ts'
import type { DoctorDeps, PrometheusConnection } from '../deps.ts'
import { attempt, known, unknown, valueOf } from '../fact.ts'
import type { SourceFact } from '../facts.ts'
import { agentNodes, otherPresets, scrapeInterval, sourceOf } from './prometheus.ts'

/** Enough to see the pace of the samples, also where the policy's window is too short for that. */
const INTERVAL_SECONDS = 1800
/** Below this share of the expected volumes other sources are asked too. */
const ENOUGH = 0.9

export type Wanted = {
  /** Attached volumes that should have numbers, by the policies that name the source. */
  readonly volumes: ReadonlySet<string>
  readonly windowSeconds: number
}

export type Asked = {
  readonly config: Config
  /** Undefined where nobody could log in. */
  readonly session: Session | undefined
  readonly prometheus: PrometheusConnection | undefined
  /** Whether the catalog has Gnocchi. */
  readonly hasGnocchi: boolean
  readonly wanted: ReadonlyMap<SourceName, Wanted>
  /** All volumes, to complete cut serials with. */
  readonly all: readonly string[]
  readonly attached: Attached
}

/** What each source that policies name knows of the last half hour, and others where it does not do. Never throws. */
export async function gatherMetrics(
  deps: DoctorDeps,
  asked: Asked,
): Promise<readonly SourceFact[]> {
  return Promise.all([...asked.wanted].map(([name, wanted]) => usageOf(deps, asked, name, wanted)))
}

async function usageOf(
  deps: DoctorDeps,
  asked: Asked,
  name: SourceName,
  wanted: Wanted,
): Promise<SourceFact> {
  const source = named(deps, asked, name)
  const { volumes: expected, windowSeconds } = wanted
  const answer = await windowOf(deps, source, windowSeconds)
  const covered = answer.kind === 'Answer' ? count(answer, expected) : 0
  const lacking = answer.kind === 'Answer' && covered < expected.size * ENOUGH
  const { prometheus } = asked
  const isPrometheus = name === 'Prometheus' && prometheus !== undefined
  const silent = answer.kind === 'Answer' && answer.volumes.size === 0
  return {
    source: name,
    where: whereOf(name, prometheus),
    preset: isPrometheus ? prometheus.config.preset : undefined,
    coverage:
      answer.kind === 'Answer'
        ? known(new Map([...answer.volumes].map(([id, v]) => [id, v.coveragePercent])))
        : unknown(answer.why),
    missing: (answer.kind === 'Answer' && answer.missing) || new Map<string, string>(),
    warnings: answer.kind === 'Answer' ? answer.warnings : [],
    intervalSeconds:
      isPrometheus && answer.kind === 'Answer'
        ? valueOf(
            await attempt(deps, (signal) =>
              scrapeInterval(deps, prometheus, {
                ...windowAt(deps, source, INTERVAL_SECONDS),
                signal,
              }),
            ),
          )
        : undefined,
    windowSeconds,
    agentNodes:
      isPrometheus && silent
        ? valueOf(await attempt(deps, () => agentNodes(deps, prometheus)))
        : undefined,
    others: lacking ? await othersOf(deps, asked, name, wanted) : new Map(),
  }
}

/** A source that cannot be made is down, with the reason. */
function named(deps: DoctorDeps, asked: Asked, name: SourceName): ActivitySource {
  const { session, prometheus, config, all, attached } = asked
  try {
    if (name === 'Gnocchi')
      return session === undefined
        ? unavailableSource('gnocchi', 'not logged in to OpenStack, see the credential')
        : deps.connectGnocchi(config, session, attached)
    return prometheus === undefined
      ? unavailableSource('prometheus', 'prometheus.endpoint is not set')
      : sourceOf(deps, prometheus, prometheus.config, all)
  } catch (e) {
    return unavailableSource(name, messageOf(e))
  }
}

async function othersOf(
  deps: DoctorDeps,
  asked: Asked,
  name: SourceName,
  { volumes: expected, windowSeconds }: Wanted,
): Promise<ReadonlyMap<string, number>> {
  const { prometheus, hasGnocchi, all } = asked
  const found = new Map<string, number>()
  if (prometheus !== undefined)
    for (const [preset, source] of otherPresets(deps, prometheus, all, name === 'Gnocchi')) {
      const answer = await windowOf(deps, source, windowSeconds)
      if (answer.kind === 'Answer')
        found.set(leadingTo(preset, name, prometheus), count(answer, expected))
    }
  if (name === 'Prometheus' && hasGnocchi) {
    const answer = await windowOf(deps, named(deps, asked, 'Gnocchi'), windowSeconds)
    if (answer.kind === 'Answer') found.set('metrics.source: Gnocchi', count(answer, expected))
  }
  return found
}

/** What would have to be said to read by that preset where the source is `name` now. */
function leadingTo(preset: string, name: SourceName, { config }: PrometheusConnection): string {
  const lines = [
    ...(name === 'Prometheus' ? [] : ['metrics.source: Prometheus']),
    ...(preset === config.preset ? [] : [`prometheus.preset: ${preset}`]),
  ]
  return lines.join(', ')
}

function windowAt({ clock }: DoctorDeps, { lagSeconds }: ActivitySource, windowSeconds: number) {
  const endSeconds = Math.floor(clock.now() / 1000) - lagSeconds
  return { endSeconds, windowSeconds }
}

async function windowOf(
  deps: DoctorDeps,
  source: ActivitySource,
  windowSeconds: number,
): Promise<WindowAnswer> {
  const query = windowAt(deps, source, windowSeconds)
  const answer = await attempt(deps, (signal) => source.window({ ...query, signal }))
  return answer.known ? answer.value : { kind: 'Down', why: answer.why }
}

function count(
  answer: Extract<WindowAnswer, { kind: 'Answer' }>,
  expected: ReadonlySet<string>,
): number {
  return [...answer.volumes.keys()].filter((id) => expected.has(id)).length
}

function whereOf(name: SourceName, prometheus: PrometheusConnection | undefined): string {
  if (name === 'Gnocchi') return 'Gnocchi'
  if (prometheus === undefined) return 'Prometheus'
  const { origin, pathname } = new URL(prometheus.config.endpoint)
  const endpoint = `${origin}${pathname === '/' ? '' : pathname}`
  return `Prometheus ${endpoint}, preset ${prometheus.config.preset}`
}
