import crds from '../../api/crds.json' with { type: 'json' }
import type { Clock } from '../../clock.ts'
import { UserError } from '../../errors.ts'
import { serve } from '../../sim/server.ts'
import type { SimServer } from '../../sim/server.ts'
import { createWorld } from '../../sim/world.ts'
import type { World, WorldVolume } from '../../sim/world.ts'
import { stampedWith } from './day-clock.ts'
import { FLEET } from './fleet.ts'
import type { FleetClaim } from './fleet.ts'
import { MANAGED_LABEL } from './policies.ts'

export type Actor = FleetClaim & { readonly key: string; readonly volume: WorldVolume }

/** The simulated services on their sockets, and the fleet in them. */
export type Stage = {
  readonly world: World
  readonly actors: readonly Actor[]
  actor(key: string): Actor
  /** Tier on which Cinder has the volume now. */
  tierOf(actor: Actor): string
  readonly urls: {
    readonly kube: string
    readonly identity: string
    readonly volume: string
    readonly prometheus: string
  }
  close(): Promise<void>
}

export type StageOptions = {
  /** Time of the day that is played. */
  readonly day: Clock
  readonly dayStart: number
  readonly clock: Clock
  /** Of the API server; undefined = any free one. */
  readonly port: number | undefined
}

const DAY_MS = 86_400_000
const SCRAPE_SECONDS = 300
const AGE_MS = 60 * DAY_MS
/** The claim of a policy of its own is younger: its history is read apart from that of the others. */
const YOUNG_MS = 3.5 * DAY_MS
const COPY_MIB_PER_SECOND = 64
const NODES = 4

/** Throws `UserError` when the port is taken. */
export async function openStage(options: StageOptions): Promise<Stage> {
  const world = worldFor(options)
  const actors = FLEET.map((claim, i) => enter(world, claim, i, options.dayStart))
  const servers = await listen(world, options.port)
  const [kube, identity, volume, prometheus] = servers.map((s) => s.url) as [
    string,
    string,
    string,
    string,
  ]
  world.cloud.seams.setOrigin({ identity, volume })
  return {
    world,
    actors,
    actor: (key) => {
      const found = actors.find((a) => a.key === key)
      if (found === undefined) throw new Error(`the demo has no claim ${key}`)
      return found
    },
    tierOf: (actor) => {
      const row = world.cloud.seams.volume(actor.volume.id)
      const type = row === undefined ? '' : world.cloud.seams.volumeType(row.typeId).name
      return type.replace(/^couchestor-/, '')
    },
    urls: { kube, identity, volume, prometheus },
    close: async () => void (await Promise.all(servers.map((s) => s.close()))),
  }
}

function worldFor({ day, clock }: StageOptions): World {
  return createWorld({
    clock: day,
    apiClock: stampedWith(day, clock),
    crds,
    scrapeSeconds: SCRAPE_SECONDS,
    cloud: {
      backends: ['hot', 'warm', 'cold'].map((name) => ({ name, copyMiBps: COPY_MIB_PER_SECOND })),
      migration: { detached: 'assisted', attached: 'nova' },
      tokenLifeSeconds: 30 * 86_400,
    },
  })
}

function enter(world: World, claim: FleetClaim, index: number, dayStart: number): Actor {
  const { namespace, name, sizeGiB, tier, load, policy } = claim
  const volume = world.addClaim({
    namespace,
    name,
    sizeGiB,
    tier,
    node: `node-${(index % NODES) + 1}`,
    iops: (seconds) => load((seconds * 1000 - dayStart) / 3_600_000),
    ...(policy === undefined
      ? { labels: MANAGED_LABEL }
      : { annotations: { 'couchestor.io/policy': policy } }),
  })
  setCreated(world, namespace, name, dayStart - (policy === undefined ? AGE_MS : YOUNG_MS))
  return { ...claim, key: `${namespace}/${name}`, volume }
}

function setCreated({ api }: World, namespace: string, name: string, at: number): void {
  const creationTimestamp = new Date(at).toISOString().replace('.000', '')
  const stored = api
    .objects(`/api/v1/namespaces/${namespace}/persistentvolumeclaims`)
    .find((c) => c.metadata.name === name)
  if (stored !== undefined)
    api.seed({ ...stored, metadata: { ...stored.metadata, creationTimestamp } })
}

async function listen(world: World, port: number | undefined): Promise<readonly SimServer[]> {
  const kube = await listenOn(world, port)
  const rest = [world.cloud.keystone, world.cloud.cinder, world.prometheus.handle]
  return [kube, ...(await Promise.all(rest.map((handler) => serve(handler))))]
}

async function listenOn(world: World, port: number | undefined): Promise<SimServer> {
  try {
    return await serve(world.api.handle, { port: port ?? 0 })
  } catch (e) {
    const { code } = e as { code?: unknown }
    if (code !== 'EADDRINUSE' && code !== 'EACCES') throw e
    const why = code === 'EACCES' ? 'may not be used by this user' : 'is taken by another program'
    throw new UserError('FlagsInvalid', `--port: ${port} on 127.0.0.1 ${why}`, {
      fix: 'give another one, or leave --port out for a free one',
      cause: e,
    })
  }
}
