import { Registry } from 'prom-client'

/** Own names start with this; names shared with other operators (workqueue_*, rest_client_*, …) do not. */
export const METRIC_PREFIX = 'couchestor_'

/** A registry per process; rooms register their metrics on the one they are given. */
export function createRegistry(): Registry {
  return new Registry()
}

export type { Registry }
