import { createGnocchiClient } from '../activity/gnocchi/client.ts'
import type { GnocchiClient } from '../activity/gnocchi/client.ts'
import { mapMetrics } from '../activity/gnocchi/metric-names.ts'
import type { Mapping } from '../activity/gnocchi/metric-names.ts'
import type { GnocchiSourceConfig } from '../activity/gnocchi/source.ts'
import type { Config } from '../api/config.ts'
import { UserError } from '../errors.ts'
import type { Session } from '../openstack/session.ts'

/** Metric names by `gnocchi.metrics_mapping` of config.yaml. Throws `UserError` with all entries that mean nothing. */
export function gnocchiMapping({ gnocchi }: Config): Mapping {
  const mapping = mapMetrics(gnocchi.metricsMapping, 'gnocchi.metrics_mapping')
  if (mapping.mistakes.length > 0) throw new UserError('ConfigInvalid', mapping.mistakes.join('\n'))
  return mapping
}

export function gnocchiClient(config: Config, session: Session): GnocchiClient {
  const { names } = gnocchiMapping(config)
  // half, so that a try which gets no answer is followed by another
  return createGnocchiClient({ session, names, timeoutMs: config.gnocchi.queryTimeoutMs / 2 })
}

export function gnocchiSourceConfig({ gnocchi }: Config): GnocchiSourceConfig {
  return {
    granularitySeconds: gnocchi.granularityMs / 1000,
    lagSeconds: gnocchi.lagMs / 1000,
    questionMs: gnocchi.queryTimeoutMs,
  }
}
