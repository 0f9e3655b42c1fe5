import type { Dice } from '../seeded.ts'
import { COMMON, NAMESPACES, POLICY_NAMES, PROBE, REPLACED } from './names.ts'
import type { Setup, Universe } from './universe.ts'

const PROBES = 3
const SHORT_SOAK = '  soak_mounted: 10m\n  soak_max_age: 20m\n'

export function drawSetup(dice: Dice, replacing = false): Setup {
  const attached = dice.one<Setup['attached']>(['unsafe', 'unsafe', 'nova', 'refused'])
  return {
    replicas: 2 + dice.int(2),
    attached,
    // only from this microversion on is it proven that attached volumes may be moved
    maxMinor: attached === 'nova' ? 71 : 70,
    completionMs: dice.one([200, 2500]),
    detached: dice.one(['assisted', 'generic']),
    replacing,
    configYaml: `migration:\n  concurrent_migrations: ${10 + dice.int(10)}\n${replacing ? SHORT_SOAK : ''}`,
  }
}

/** What an administrator writes at random into a policy. */
export function policySpec({ setup }: Pick<Universe, 'setup'>, name: string, dice: Dice): object {
  const spec = ofRetype(name, dice)
  if (!setup.replacing) return spec
  const strategy = dice.one(['snapshot-restore', 'snapshot-restore', 'cinder-retype'])
  return { ...spec, migration: { ...spec.migration, strategy } }
}

function ofRetype(name: string, dice: Dice) {
  return {
    mode: dice.one(['Auto', 'Auto', 'Auto', 'Approve', 'Observe']),
    paused: dice.chance(0.1),
    selector: { matchLabels: { app: name } },
    tiers: tiersAt(dice.one([1, 1, 2]), dice.one([undefined, undefined, 30, 60])),
    overrides: { forceTier: dice.one(['Allow', 'Allow', 'Allow', 'Deny']) },
    metrics: { window: dice.one(['30m', '1h']), minHistory: dice.one(['1h', '24h']) },
    migration: {
      cooldownPeriod: dice.one(['10m', '1h', '12h']),
      maxConcurrent: dice.one([1, 2, 5]),
    },
    ...(dice.chance(0.2) ? { namespaceSelector: only('shop', 'lab') } : {}),
    ...(dice.chance(0.3) ? { limits: dice.one(LIMITS) } : {}),
  }
}

const LIMITS: readonly [object, ...object[]] = [
  { perNamespace: [{ namespace: 'lab', maxConcurrent: 0 }] },
  { perNamespace: [{ namespace: 'shop', maxConcurrent: 1 }] },
  { perPool: [{ pool: 'cold', maxConcurrent: 1 }] },
  { perPool: [{ pool: 'hot', maxConcurrent: 0 }] },
]

function only(...values: readonly string[]): object {
  return { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values }] }
}

/** What owners have said before the operator came. */
const OWNERS_WORDS: readonly { weight: number; annotations: Readonly<Record<string, string>> }[] = [
  { weight: 6, annotations: {} },
  { weight: 1, annotations: { 'couchestor.io/paused': 'true' } },
  { weight: 1, annotations: { 'couchestor.io/policy': 'none' } },
]

/** The world at the start: claims of two policies in three namespaces, and the probes. */
export function populate(universe: Universe, dice: Dice): void {
  for (const name of POLICY_NAMES) universe.seedPolicy(name, policySpec(universe, name, dice))
  universe.seedPolicy(COMMON, {
    selector: { matchLabels: { app: COMMON } },
    tiers: tiersAt(1),
    limits: { perNamespace: [{ namespace: 'lab', maxConcurrent: 0 }] },
    migration: { cooldownPeriod: '10m', maxConcurrent: 3 },
  })
  for (let i = 0; i < 4 + dice.int(8); i++) {
    const claim = universe.cluster.provision({
      namespace: dice.one(NAMESPACES),
      name: `first-${i}`,
      tier: dice.one(['hot', 'warm', 'cold']),
      sizeGiB: 1 + dice.int(20),
      iops: dice.one([0, 1, 50, 300, 2000, 5000]),
      labels: { app: dice.one([...POLICY_NAMES, COMMON]) },
      annotations: dice.weighted(OWNERS_WORDS).annotations,
      ageHours: 96,
    })
    if (universe.setup.replacing && dice.chance(0.4)) universe.takeSnapshot(claim)
    // by one of them the project sees that there is a cinder-backup
    if (universe.setup.replacing && i === 0)
      universe.world.cloud.seams.addBackup(claim.volumeId, 'nightly')
  }
}

/** From now on these must move, whatever obstacles others have left behind. */
export async function addProbes(universe: Universe): Promise<void> {
  universe.seedPolicy(PROBE, {
    selector: { matchLabels: { app: PROBE } },
    tiers: tiersAt(1),
    migration: { cooldownPeriod: '10m', maxConcurrent: 5 },
  })
  await addClaims(universe, PROBE, '')
  await addClaims(universe, COMMON, 'common-')
  if (universe.setup.replacing) await addPinned(universe)
}

/** A retype of these is blocked for good, and they get another volume. */
async function addPinned(universe: Universe): Promise<void> {
  universe.seedPolicy(REPLACED, {
    selector: { matchLabels: { app: REPLACED } },
    tiers: tiersAt(1),
    migration: { cooldownPeriod: '10m', maxConcurrent: 5, strategy: 'snapshot-restore' },
  })
  await addClaims(universe, REPLACED, 'replaced-')
  for (const { claim } of universe.probes)
    if (claim.name.startsWith('replaced-forced')) universe.takeSnapshot(claim)
}

async function addClaims(universe: Universe, app: string, prefix: string): Promise<void> {
  const labels = { app }
  for (let i = 0; i < PROBES; i++) {
    const claim = universe.cluster.provision({
      ...probeClaim('calm', `${prefix}forced-${i}`),
      labels,
    })
    await universe.cluster.annotate(claim, { 'couchestor.io/force-tier': 'cold' })
    universe.probes.push({ claim, tier: 'cold' })
  }
  const idle = universe.cluster.provision({ ...probeClaim('calm', `${prefix}idle`), labels })
  universe.probes.push({ claim: idle, tier: 'cold' })
}

function tiersAt(price: number, maxGiB?: number): object[] {
  const capacity = maxGiB === undefined ? {} : { capacity: { maxGiB } }
  return [
    { name: 'hot', storageClass: 'couchestor-hot', iopsThreshold: 1000, costPerGiBMonth: 0.3 },
    { name: 'warm', storageClass: 'couchestor-warm', iopsThreshold: 100, costPerGiBMonth: 0.15 },
    {
      name: 'cold',
      storageClass: 'couchestor-cold',
      iopsThreshold: 0,
      costPerGiBMonth: 0.05 * price,
      ...capacity,
    },
  ]
}

function probeClaim(namespace: string, name: string) {
  return { namespace, name, tier: 'hot', sizeGiB: 1, iops: 1, labels: {}, ageHours: 96 }
}
