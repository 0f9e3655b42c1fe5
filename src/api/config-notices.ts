import type { Config } from './config.ts'
import { shownUrl } from './shown-url.ts'

/** One line for each key of config.yaml that is read but does not do what its name says. Said once at start. */
export function notices(config: Config): string[] {
  const { migration, metrics, prometheus, gnocchi, erasureCoding } = config
  const minCapacity = Object.keys(config.tiers).filter(
    (name) => config.tiers[name]?.minCapacityGb !== undefined,
  )
  return [
    ...when(
      migration.useCinderTransfer,
      'migration.use_cinder_transfer is noted, but switches nothing on: a Cinder transfer changes the project of a volume, not its type; tiers are changed by retype',
    ),
    ...when(
      migration.batchSize !== undefined,
      'migration.batch_size is noted, but moves are not made in batches; migration.concurrent_migrations bounds them',
    ),
    ...when(
      minCapacity.length > 0,
      `min_capacity_gb (tiers ${minCapacity.join(', ')}) is noted, but Cinder owns the pools; tiers[].capacity.maxGiB of the StoragePolicy bounds what moves in`,
    ),
    ...when(
      erasureCoding.enabled,
      'erasure_coding is noted, but Cinder has no such switch per volume; use a volume type on an erasure-coded pool',
    ),
    ...when(
      config.hasCache,
      'cache is noted, but nothing is cached here: the data path stays between node and Cinder',
    ),
    ...when(
      prometheus.ceilometerEndpoint !== undefined,
      `prometheus.ceilometer_endpoint (${shownUrl(prometheus.ceilometerEndpoint ?? '')}) is not asked: Ceilometer's own API was removed from OpenStack in 2017, its numbers are in Gnocchi. Remove the key and set metrics.source to Gnocchi, here or in the StoragePolicy; gnocchi.endpoint only where the service catalog has no endpoint of type metric`,
    ),
    ...when(
      gnocchi.archivePolicy !== undefined,
      `gnocchi.archive_policy is noted, but Ceilometer gives its metrics their archive policy; gnocchi.granularity says which of its granularities is read`,
    ),
    ...when(
      metrics.source === 'Prometheus' && prometheus.endpoint === undefined,
      'prometheus.endpoint is not set: without usage numbers nothing moves except what is forced or asked for by hand; with metrics.source Gnocchi none is needed',
    ),
  ]
}

function when(holds: boolean, line: string): string[] {
  return holds ? [line] : []
}
