import type { BackendRow, VolumeRow, VolumeTypeRow } from './model.ts'
import type { State } from './state.ts'

/** Zones a type binds its volumes to; undefined = any. */
function typeZones(type: VolumeTypeRow): readonly string[] | undefined {
  return type.extraSpecs['RESKEY:availability_zones']?.split(',').map((zone) => zone.trim())
}

/** Whether a backend fulfils a type: its name, its zone, and that it runs. */
function fits(backend: BackendRow, type: VolumeTypeRow, zones: readonly string[]): boolean {
  const wanted = type.extraSpecs['volume_backend_name']
  if (wanted !== undefined && wanted !== backend.name) return false
  return backend.up && zones.includes(backend.availabilityZone)
}

/** The fitting backend with the most free space for `sizeGiB`; undefined = no valid backend. */
export function chooseBackend(
  state: State,
  type: VolumeTypeRow,
  sizeGiB: number,
  zone: string,
): BackendRow | undefined {
  const zones = typeZones(type) ?? [zone]
  return state.backends
    .filter((b) => fits(b, type, zones) && free(b) >= sizeGiB)
    .toSorted((a, b) => free(b) - free(a))[0]
}

/**
 * Where a retype goes: the volume's own backend when the new type fits it, else another one when migration is allowed.
 * undefined = no valid backend, which ends the retype silently.
 */
export function chooseForRetype(
  state: State,
  volume: VolumeRow,
  type: VolumeTypeRow,
  policy: 'never' | 'on-demand',
): BackendRow | undefined {
  const zones = typeZones(type) ?? [volume.availabilityZone]
  const own = state.backends.find((b) => b.host === volume.host)
  if (own && fits(own, type, zones)) return own
  return policy === 'never'
    ? undefined
    : chooseBackend(state, type, volume.sizeGiB, volume.availabilityZone)
}

const free = (backend: BackendRow) => backend.totalGiB - backend.allocatedGiB
