import type { Reflector } from '../../kube/types.ts'
import type { ControllerDeps } from '../deps.ts'
import type { Watches } from './watches.ts'

/**
 * A watch that has heard nothing for so long, bookmarks included, shows an old view: it is
 * broken off after 70 s of silence, and then has had several tries.
 */
const DEAF_MS = 300_000

/** Why what the watch shows may be old; undefined when it is kept up to date. */
export function deafness(
  watch: Pick<Reflector<unknown>, 'health'>,
  what: string,
  { processClock }: Pick<ControllerDeps, 'processClock'>,
): string | undefined {
  const { missingRule, synced, lastActivity } = watch.health()
  if (missingRule !== undefined) return `the role of the controller lacks ${missingRule}`
  if (!synced) return `${what} have not been read yet`
  const silent = processClock.monotonic() - lastActivity
  if (silent < DEAF_MS) return undefined
  return `the API server has sent no news of ${what} for ${Math.round(silent / 60_000)} min`
}

/** Why it is unknown what owners and administrators say now; undefined when their word is known. */
export function deafToPeople(
  { claims, volumes, policies, migrations, namespaces }: Watches,
  deps: Pick<ControllerDeps, 'processClock'>,
): string | undefined {
  const said =
    deafness(claims, 'claims', deps) ??
    deafness(volumes, 'PersistentVolumes', deps) ??
    deafness(policies, 'StoragePolicies', deps) ??
    deafness(migrations, 'VolumeMigrations', deps)
  // a smaller role may not read namespaces at all
  const isRefused = namespaces.health().missingRule !== undefined
  return said ?? (isRefused ? undefined : deafness(namespaces, 'namespaces', deps))
}
