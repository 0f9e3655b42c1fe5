import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Dice, seedOf } from '../seeded.ts'
import { policySpec } from './setup.ts'
import { Universe } from './universe.ts'

const MINUTE = 60_000
const HOUR = 3_600_000
const CLAIMS = 30
const POLICY = 'shop'

/** What a leader and its stand-by hold after so many hours in which claims come and go. */
export type Held = { readonly heapMB: number; readonly series: number }

/** Every ten minutes the oldest claim is deleted and another one made: there are always as many. */
export async function heldAfter(hours: number): Promise<Held> {
  const universe = new Universe(1, {
    replicas: 2,
    attached: 'unsafe',
    maxMinor: 70,
    completionMs: 200,
    detached: 'generic',
    replacing: false,
    configYaml: '',
  })
  const { cluster, clock, monitor } = universe
  const dice = new Dice(seedOf(1, 'growth'))
  universe.seedPolicy(POLICY, {
    ...policySpec(universe, POLICY, dice),
    mode: 'Auto',
    paused: false,
  })
  let made = 0
  const make = () => {
    // what is where it belongs moves nowhere: moves are kept for days, and would be mistaken for what grows by them
    const busy = dice.chance(0.5)
    cluster.provision({
      namespace: dice.one(['shop', 'lab']),
      name: `claim-${++made}`,
      tier: busy ? 'hot' : 'cold',
      sizeGiB: 1,
      iops: busy ? 5000 : 0,
      labels: { app: POLICY },
      ageHours: 96,
    })
  }
  for (let i = 0; i < CLAIMS; i++) make()
  universe.startReplica()
  universe.startReplica()
  while (clock.monotonic() < hours * HOUR && monitor.violations.length === 0) {
    await clock.advance(10 * MINUTE)
    const [oldest] = cluster.living
    if (oldest !== undefined)
      await cluster.request(
        'DELETE',
        `/api/v1/namespaces/${oldest.namespace}/persistentvolumeclaims/${oldest.name}`,
      )
    await cluster.tick()
    monitor.tick()
    make()
  }
  if (monitor.violations.length > 0) throw new Error(JSON.stringify(monitor.violations))
  await universe.scrape()
  const series = universe.page.split('\n').filter((l) => l !== '' && !l.startsWith('#')).length
  const before = heapMB()
  for (const { life } of universe.replicas) life.kill()
  universe.replicas.clear()
  await clock.settle()
  const heap = before - heapMB()
  // the simulators are to be in both measurements
  if (cluster.living.length === 0) throw new Error('there are no claims')
  return { heapMB: heap, series }
}

function heapMB(): number {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  gc()
  gc()
  return process.memoryUsage().heapUsed / 2 ** 20
}
