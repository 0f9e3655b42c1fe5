import type { SimHandler } from '../handler.ts'
import { createGnocchi } from '../gnocchi/gnocchi.ts'
import { Store } from '../gnocchi/store.ts'
import { createCatalog } from './catalog.ts'
import { createCinder } from './cinder.ts'
import { createFaults } from './faults.ts'
import { createKeystone } from './keystone.ts'
import { createMigrations } from './migrations.ts'
import type { CloudOptions } from './options.ts'
import { createSeams } from './seams.ts'
import type { Seams } from './seams.ts'
import { createState } from './state.ts'

export type Cloud = {
  /** Identity service, for `origin.identity`. */
  readonly keystone: SimHandler
  /** Volume service, for `origin.volume`. */
  readonly cinder: SimHandler
  /** Metric service, for `origin.metric`. */
  readonly gnocchi: SimHandler
  readonly seams: Seams
}

/**
 * Keystone, Cinder and Gnocchi in memory, with the semantics of the real services (Zed): give the handlers sockets or call them
 * in the process. All waiting is on `clock`; nothing happens by itself. A dropped reply rejects with `ConnectionLost`.
 */
export function createCloud(options: CloudOptions): Cloud {
  const state = createState(options)
  const migrations = createMigrations(state)
  const faults = createFaults(options.clock)
  const catalog = createCatalog(state.ids, options.regions ?? ['RegionOne'], () => state.origin)
  const keystone = createKeystone({
    clock: state.clock,
    ids: state.ids,
    identity: state.identity,
    catalog,
    baseUrl: () => state.origin.identity,
  })
  const store = new Store(options.clock, state.ids)
  const gnocchi = createGnocchi({
    identity: state.identity,
    store,
    keystone: () => state.origin.identity,
    maxPage: state.maxPage,
  })
  return {
    keystone: faults.wrap('keystone', keystone),
    cinder: faults.wrap('cinder', createCinder(state, migrations)),
    gnocchi: faults.wrap('gnocchi', gnocchi),
    seams: createSeams(state, migrations, faults, store),
  }
}
