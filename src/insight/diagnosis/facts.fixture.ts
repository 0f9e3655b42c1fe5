import { parseConfig } from '../../api/config.ts'
import { effectivePolicy } from '../../api/effective-policy.ts'
import type { Condition } from '../../api/object.ts'
import type { StoragePolicySpec } from '../../api/storage-policy.ts'
import type { VolumeMigration, VolumeMigrationStatus } from '../../api/volume-migration.ts'
import { known } from './fact.ts'
import type { Fact } from './fact.ts'
import type {
  CloudFacts,
  ClusterFacts,
  Facts,
  Fleet,
  FleetClaim,
  FleetVolume,
  PolicyFact,
  ReplacementFacts,
  SourceFact,
  TypeFact,
} from './facts.ts'

/** For tests of this room: a healthy installation, seen by a member, and the ways in which it can be spoilt. */
export const NOW = Date.UTC(2026, 5, 1, 12)
export const DAY = 86_400_000
const TIERS = ['hot', 'warm', 'cold']
const ENDPOINT = 'http://prometheus.monitoring.svc:9090'
export const CONFIG_YAML = `prometheus: {endpoint: '${ENDPOINT}'}`

export function policy(spec: Partial<StoragePolicySpec> = {}, more: object = {}): PolicyFact {
  const whole: StoragePolicySpec = {
    tiers: TIERS.map((name, i) => ({
      name,
      storageClass: `couchestor-${name}`,
      iopsThreshold: [100, 10, 0][i] ?? 0,
      costPerGiBMonth: [3, 2, 1][i] ?? 0,
    })),
    ...spec,
  }
  return {
    problems: [],
    effective: effectivePolicy(whole, parseConfig(CONFIG_YAML, 'test')),
    policy: {
      apiVersion: 'couchestor.io/v1alpha1',
      kind: 'StoragePolicy',
      metadata: { name: 'tiered', generation: 1 },
      spec: whole,
      status: { observedGeneration: 1, conditions: [ready('True', 'Ready')] },
    },
    ...more,
  }
}

export function ready(
  status: Condition['status'],
  reason: string,
  message = 'reported',
): Condition {
  return { type: 'Ready', status, reason, message, lastTransitionTime: '2026-06-01T00:00:00Z' }
}

export function volume(over: Partial<FleetVolume> = {}): FleetVolume {
  return {
    status: 'in-use',
    sizeGiB: 10,
    typeId: 'id-hot',
    typeName: 'couchestor-hot',
    zone: 'nova',
    attached: true,
    multiattach: false,
    encrypted: false,
    snapshots: { count: 0 },
    ...over,
  }
}

export function claim(name: string, over: Partial<FleetClaim> = {}): FleetClaim {
  return {
    key: `default/${name}`,
    storageClass: 'couchestor-hot',
    policy: 'tiered',
    refusal: undefined,
    driver: 'cinder',
    volumeId: `vol-${name}`,
    volume: volume(),
    node: 'node-1',
    attributesClass: undefined,
    ...over,
  }
}

export function type(tier: string, over: Partial<TypeFact> = {}): TypeFact {
  return {
    id: `id-${tier}`,
    name: `couchestor-${tier}`,
    isPublic: true,
    extraSpecs: {},
    qosId: undefined,
    accessible: true,
    ...over,
  }
}

export function migration(status: VolumeMigrationStatus, name = 'move'): VolumeMigration {
  return {
    apiVersion: 'couchestor.io/v1alpha1',
    kind: 'VolumeMigration',
    metadata: { namespace: 'default', name },
    spec: { claim: { name: 'a' }, to: 'cold', policy: 'tiered' },
    status,
  }
}

const WORKLOAD = {
  image: 'ghcr.io/abiolaogu/couchestor:1.0.0',
  serviceAccount: 'couchestor',
  asksForScrape: true,
  release: undefined,
}

const CLUSTER: ClusterFacts = {
  server: known({ url: 'https://10.0.0.1:6443', version: 'v1.36.3' }),
  admissionOffered: known(true),
  admissionPolicies: known(['couchestor-migrations']),
  me: known('system:serviceaccount:couchestor-system:couchestor'),
  classes: known([
    ...TIERS.map((t) => cinderClass(`couchestor-${t}`, `couchestor-${t}`)),
    cinderClass('couchestor-restore', undefined),
  ]),
  drivers: known(['cinder.csi.openstack.org']),
  crds: known([
    {
      name: 'storagepolicies.couchestor.io',
      file: 'deploy/crds/couchestor.io_storagepolicies.yaml',
      state: 'current',
    },
  ]),
  rules: known({
    account: 'system:serviceaccount:couchestor-system:couchestor',
    ofController: true,
    denied: [],
    replacing: [],
    restarting: [],
    asked: 48,
  }),
  lease: known({ holder: 'pod-1', renewedAt: NOW - 4000, durationMs: 15_000 }),
  leaseNamespaces: known(['couchestor-system']),
  controller: known({
    ...WORKLOAD,
    name: 'couchestor-controller',
    wanted: 2,
    ready: 2,
    privileged: false,
  }),
  agents: known({ ...WORKLOAD, name: 'couchestor-agent', wanted: 3, ready: 3, privileged: false }),
  policies: known([policy()]),
  migrations: known([]),
}

export function cinderClass(name: string, typeName: string | undefined) {
  return { name, provisioner: 'cinder.csi.openstack.org', type: typeName }
}

const CLOUD: CloudFacts = {
  credential: known({
    authUrl: 'https://keystone.example.com:5000/v3',
    kind: 'applicationCredential',
    interface: 'public',
    region: 'RegionOne',
    insecure: false,
  }),
  login: known({
    user: 'couchestor',
    project: { id: 'p1', name: 'shop' },
    roles: ['member'],
    applicationCredential: { id: 'a1', name: 'operator', restricted: true },
    passwordEnd: undefined,
    tokenEnd: NOW + 3_600_000,
  }),
  applicationCredentialEnd: known(null),
  regions: known(['RegionOne']),
  volumeEndpoint: known('https://cinder.example.com:8776/v3/p1'),
  hasGnocchi: known(false),
  microversion: known([3, 71]),
  types: known(TIERS.map((t) => type(t))),
  pools: refused(),
  qos: refused(),
  services: refused(),
  quota: known(new Map([['gigabytes_couchestor-cold', { limit: 1000, inUse: 10, reserved: 0 }]])),
  noBackend: known([]),
  unreachable: new Map(),
}

function refused(): Fact<never> {
  return { known: false, why: 'Cinder answered 403', refused: true }
}

const FLEET: Fleet = {
  claims: [claim('a'), claim('b'), claim('c')],
  conflicts: new Map(),
  nodes: ['node-1'],
  clusters: new Map([['kubernetes', 3]]),
  strays: [],
  typeOfVolume: new Map([['vol-a', 'id-hot']]),
  attachments: [],
}

const REPLACEMENTS: ReplacementFacts = {
  unfinished: known(0),
  unreadable: known([]),
  lost: known([]),
  leftovers: known([]),
}

const SOURCE: SourceFact = {
  source: 'Prometheus',
  where: `Prometheus ${ENDPOINT}, preset agent`,
  preset: 'agent',
  coverage: known(new Map(['a', 'b', 'c'].map((n) => [`vol-${n}`, 100]))),
  missing: new Map(),
  warnings: [],
  intervalSeconds: 30,
  windowSeconds: 1800,
  agentNodes: undefined,
  others: new Map(),
}

/** What differs from the healthy installation, by part. */
export type Spoilt = {
  readonly config?: Partial<Facts['config']>
  readonly cluster?: Partial<ClusterFacts>
  readonly cloud?: Partial<CloudFacts>
  readonly fleet?: Partial<Fleet> | Fact<never>
  readonly replacements?: Partial<ReplacementFacts>
  readonly source?: Partial<SourceFact>
  readonly clocks?: Facts['clocks']
}

export function facts(spoilt: Spoilt = {}): Facts {
  const { fleet = {} } = spoilt
  return {
    now: NOW,
    namespace: 'couchestor-system',
    version: '1.0.0',
    config: {
      config: parseConfig(CONFIG_YAML, 'test'),
      where: '/etc/couchestor/config.yaml',
      mistakes: [],
      unread: undefined,
      ...spoilt.config,
    },
    cluster: { ...CLUSTER, ...spoilt.cluster },
    cloud: { ...CLOUD, ...spoilt.cloud },
    fleet: 'known' in fleet ? fleet : known({ ...FLEET, ...fleet }),
    replacements: { ...REPLACEMENTS, ...spoilt.replacements },
    metrics: [{ ...SOURCE, ...spoilt.source }],
    clocks: spoilt.clocks ?? [
      { service: 'Kubernetes', at: 'https://10.0.0.1:6443', aheadMs: 0 },
      { service: 'OpenStack', at: 'https://keystone.example.com:5000', aheadMs: -1200 },
    ],
  }
}

export function configOf(yaml: string): Partial<Facts['config']> {
  return { config: parseConfig(yaml, 'test') }
}
