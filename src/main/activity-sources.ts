import { createGnocchiSource } from '../activity/gnocchi/source.ts'
import { createPrometheusSource } from '../activity/prometheus/source.ts'
import type { ActivitySource, ActivitySources, NamedFleet } from '../activity/types.ts'
import { unavailableSource } from '../activity/unavailable.ts'
import type { Config } from '../api/config.ts'
import type { Clock } from '../clock.ts'
import type { HttpClient } from '../http.ts'
import type { Log } from '../log.ts'
import type { Registry } from '../metrics.ts'
import type { Session } from '../openstack/session.ts'
import { gnocchiClient, gnocchiSourceConfig } from './gnocchi-config.ts'
import { sentenceOf } from '../errors.ts'
import { NO_PROMETHEUS, prometheusSourceConfig, prometheusTls } from './prometheus-config.ts'
import { systemHttpClient } from './system-http.ts'

export type SourceParts = {
  readonly config: Config
  readonly session: Session
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  readonly metrics?: Registry
  /** Puts something between Prometheus' client and the network. */
  readonly wrap?: (http: HttpClient) => HttpClient
}

/** Both sources by config.yaml. Throws `UserError` for a wrong one; one that is merely not configured is down. */
export function activitySources(parts: SourceParts): (fleet: NamedFleet) => ActivitySources {
  let ids: NamedFleet['volumeIds'] = () => []
  // made once: its metrics cannot be registered twice
  const Prometheus = prometheusSource({ ...parts, knownVolumes: () => ids() })
  const client = gnocchiClient(parts.config, parts.session)
  const config = gnocchiSourceConfig(parts.config)
  return (fleet) => {
    ids = () => fleet.volumeIds()
    return {
      Prometheus,
      Gnocchi: createGnocchiSource({ client, config, fleet, clock: parts.clock, log: parts.log }),
    }
  }
}

/** Prometheus by config.yaml; without an endpoint it is down, and says what to set. */
export function prometheusSource({
  config,
  wrap = (http) => http,
  ...rest
}: Omit<SourceParts, 'session'> & {
  readonly knownVolumes?: () => Iterable<string>
}): ActivitySource {
  if (config.prometheus.endpoint === undefined)
    return unavailableSource('prometheus', sentenceOf(NO_PROMETHEUS))
  return createPrometheusSource({
    ...rest,
    http: wrap(systemHttpClient({ ...prometheusTls(config), connections: 4 })),
    config: prometheusSourceConfig(config),
  })
}
