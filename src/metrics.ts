import { Gauge, Registry } from 'prom-client'
import { VERSION } from './version.ts'

/** Own names start with this; names shared with other operators (workqueue_*, rest_client_*, …) do not. */
export const METRIC_PREFIX = 'couchestor_'

/** A registry per process, which says what runs; rooms register their metrics on the one they are given. */
export function createRegistry(): Registry {
  const registry = new Registry()
  new Gauge({
    name: `${METRIC_PREFIX}build_info`,
    help: 'Always 1; the labels show the version of the program and of Node.js.',
    labelNames: ['version', 'node'],
    registers: [registry],
  }).set({ version: VERSION, node: process.versions.node }, 1)
  return registry
}

export type { Registry }
