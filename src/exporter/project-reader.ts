import { createGnocchiClient } from '../activity/gnocchi/client.ts'
import { DiskReader } from '../activity/gnocchi/disk-reader.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { createVolumeService } from '../openstack/cinder.ts'
import type { Session } from '../openstack/session.ts'
import type { ExporterConfig } from './config.ts'
import type { FleetCounters } from './fleet-counters.ts'
import { createFleetReader } from './read-fleet.ts'

/** For one question; a scrape does not wait so long. */
const GNOCCHI_TIMEOUT_MS = 20_000

/** Reads the counters of the session's project. Rejects with one sentence that says why. */
export function createProjectReader(parts: {
  readonly config: Pick<ExporterConfig, 'names' | 'periodSeconds'>
  readonly session: Session
  readonly clock: Clock
  readonly log: Log
}): (signal: AbortSignal) => Promise<FleetCounters> {
  const { clock, log } = parts
  const { names, periodSeconds: granularitySeconds } = parts.config
  const session = triedOnce(parts.session)
  const client = createGnocchiClient({ session, names, timeoutMs: GNOCCHI_TIMEOUT_MS })
  return createFleetReader({
    volumes: createVolumeService({ session, log }),
    client,
    reader: new DiskReader({ client, clock, granularitySeconds }),
    granularitySeconds,
    clock,
  })
}

/** The next scrape is the next try: waiting for a service that is away would only make this one late. */
function triedOnce(session: Session): Session {
  return { ...session, request: (request) => session.request({ ...request, retry: 'never' }) }
}
