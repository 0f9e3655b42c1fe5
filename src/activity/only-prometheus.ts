import type { ActivitySource, ActivitySources } from './types.ts'
import { unavailableSource } from './unavailable.ts'

/** For a world without a Gnocchi, such as the demo's. */
export function onlyPrometheus(source: ActivitySource): () => ActivitySources {
  const Gnocchi = unavailableSource('gnocchi', 'there is no Gnocchi here')
  return () => ({ Prometheus: source, Gnocchi })
}
