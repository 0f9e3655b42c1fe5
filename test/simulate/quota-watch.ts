import type { Retype } from './monitor.ts'
import { TIERS } from './names.ts'
import type { Universe } from './universe.ts'

/** From the read that a move is started by to the arrival of its call, with all tries and delays in between. */
const SEEN_MS = 300_000
/** A read that was refused is repeated before the next intent. */
const REFUSED_MS = 60_000

type Sample = { readonly at: number; readonly gib: number; readonly volumes: number }
type Begun = { readonly at: number; readonly typeId: string; readonly sizeGiB: number }

/** How much room the quotas have had lately, and which moves have begun since. */
export class QuotaWatch {
  readonly #samples = new Map<string, Sample[]>()
  #begun: Begun[] = []
  #struckAt = -Infinity

  tick(universe: Universe): void {
    const now = universe.clock.monotonic()
    const isStruck = Array.from(universe.episodes).some(
      (e) => e.untilMs > now && (e.service ?? 'cinder') === 'cinder',
    )
    if (isStruck) this.#struckAt = now
    for (const tier of TIERS) {
      const type = universe.types.of(tier)
      const all = this.#samples.get(type.id) ?? []
      all.push({ at: now, ...roomNow(universe, type.name) })
      this.#samples.set(
        type.id,
        all.filter((s) => now - s.at <= SEEN_MS),
      )
    }
    this.#begun = this.#begun.filter((b) => now - b.at <= SEEN_MS)
  }

  /** A fault may just have refused the read of the quotas: the product goes on without. */
  isDisturbed({ clock }: Universe): boolean {
    return clock.monotonic() - this.#struckAt < REFUSED_MS
  }

  /** A call arrives: what it takes counts against those after it. */
  received(universe: Universe, { volumeId, toType }: Retype): void {
    const sizeGiB = universe.world.cloud.seams.volume(volumeId)?.sizeGiB ?? 0
    this.#begun.push({ at: universe.clock.monotonic(), typeId: toType, sizeGiB })
  }

  /** What stands against a call now, even if the product had seen the best moment of the last minutes. */
  overrun(universe: Universe, { volumeId, toType }: Retype): string | undefined {
    const { seams } = universe.world.cloud
    const sizeGiB = seams.volume(volumeId)?.sizeGiB ?? 0
    const type = seams.volumeType(toType)
    const now = { at: universe.clock.monotonic(), ...roomNow(universe, type.name) }
    const fits = ({ at, gib, volumes }: Sample) => {
      const since = this.#begun.filter((b) => b.typeId === toType && b.at > at)
      const taken = since.reduce((sum, b) => sum + b.sizeGiB, 0)
      return gib - taken >= sizeGiB && volumes - since.length >= 1
    }
    if (fits(now) || (this.#samples.get(toType) ?? []).some(fits)) return undefined
    return `volume ${volumeId} of ${sizeGiB} GiB was sent to ${type.name}, whose quota has had no room for it for long (${now.gib} GiB and ${now.volumes} volumes are left)`
  }
}

function roomNow({ world }: Universe, type: string) {
  const { seams } = world.cloud
  const room = (unit: string) => {
    const { limit, inUse, reserved } = seams.quota(seams.couchestor.project.id, `${unit}_${type}`)
    return limit < 0 ? Infinity : limit - inUse - reserved
  }
  return { gib: room('gigabytes'), volumes: room('volumes') }
}
