import type { Blocker } from '../../../blockers/blocker.ts'
import { encrypted, group, multiattach, snapshots } from '../../../blockers/volume.ts'
import type { Facts, FleetVolume } from '../facts.ts'
import { counted, finding, notChecked, ok, some } from '../finding.ts'
import type { Line } from '../finding.ts'

/** Share of the managed volumes from which it is worth a warning. */
const MANY = 0.25

/** What keeps a volume where it is until a person changes something. */
const BLOCKERS: readonly (readonly [name: string, Blocker<FleetVolume>])[] = [
  ['snapshots', snapshots],
  ['multiattach', multiattach],
  ['groups', group],
  ['encrypted', encrypted],
]

/** The share of the fleet that Cinder would not move across backends, by what is in the way. */
export function checkFleet({ fleet }: Facts): readonly Line[] {
  if (!fleet.known) return [notChecked('fleet', 'share that cannot be moved', fleet.why)]
  const managed = fleet.value.claims.filter((c) => c.policy !== undefined && c.volume)
  const volumes = managed.flatMap((c) => c.volume ?? [])
  if (volumes.length === 0) return [ok('no volume is managed')]
  const parts = BLOCKERS.map(
    ([name, holds]) => [name, volumes.filter((v) => holds(v) !== undefined).length] as const,
  )
  const blocked = volumes.filter((v) => BLOCKERS.some(([, holds]) => holds(v) !== undefined)).length
  const shares = parts.filter(([, n]) => n > 0).map(([name, n]) => `${name} ${n}`)
  const detail = shares.length === 0 ? '' : ` (${shares.join(', ')})`
  const text = `${blocked} of ${counted(volumes.length, 'managed volume')} cannot be moved across backends now${detail}`
  const attached = volumes.filter((v) => v.attached).length
  const broken = managed.filter((c) => /^error|^maintenance$/.test(c.volume?.status ?? ''))
  return [
    blocked >= volumes.length * MANY ? finding('FleetBlocked', text) : ok(text),
    ok(`${attached} attached (they move while attached only where that is proven safe)`),
    ...(broken.length === 0
      ? []
      : [
          finding(
            'VolumeInError',
            `${counted(broken.length, 'managed volume')}: ${some(broken.map((c) => `${c.key} (${c.volumeId}) ${c.volume?.status}`))}`,
            {
              fix: `openstack volume show ${broken[0]?.volumeId}; an administrator can reset the state after checking the volume`,
            },
          ),
        ]),
  ]
}
