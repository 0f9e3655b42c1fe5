import type { VolumeAttachment } from '../../activity/types.ts'
import type { SourceName } from '../../api/names.ts'
import type { Config } from '../../api/config.ts'
import type { StoragePolicy } from '../../api/storage-policy.ts'
import type { VolumeMigration } from '../../api/volume-migration.ts'
import type { EffectivePolicy } from '../../api/effective-policy.ts'
import type { SnapshotsSeen } from '../../blockers/volume.ts'
import type { QuotaLine } from '../../openstack/types.ts'
import type { ConnectionFailure } from '../../http.ts'
import type { Leftover } from '../replacements/leftovers.ts'
import type { Fact } from './fact.ts'
import type { Rule } from './needed-rules.ts'

/** All that the checks judge: plain data, nothing that can fail or wait. */
export type Facts = {
  /** ms since the epoch, by our own clock. */
  readonly now: number
  readonly namespace: string
  /** Version of this program. */
  readonly version: string
  readonly config: ConfigFacts
  readonly cluster: ClusterFacts
  readonly cloud: CloudFacts
  readonly fleet: Fact<Fleet>
  readonly replacements: ReplacementFacts
  /** One for each source that policies name. */
  readonly metrics: readonly SourceFact[]
  /** Every service whose answers had a time. */
  readonly clocks: readonly ClockFact[]
}

export type ConfigFacts = {
  /** The file, or the defaults where there is none or it cannot be used. */
  readonly config: Config
  /** Where it was read; undefined = nowhere. */
  readonly where: string | undefined
  /** Mistakes of the file, one line each. */
  readonly mistakes: readonly string[]
  /** Why the ConfigMap could not be read. */
  readonly unread: string | undefined
}

export type ClusterFacts = {
  readonly server: Fact<{ readonly url: string; readonly version: string }>
  /** Whether the API server offers ValidatingAdmissionPolicy. */
  readonly admissionOffered: Fact<boolean>
  /** Names of the policies that check VolumeMigrations. */
  readonly admissionPolicies: Fact<readonly string[]>
  readonly me: Fact<string>
  readonly classes: Fact<readonly ClassFact[]>
  /** Names of CSIDriver objects. */
  readonly drivers: Fact<readonly string[]>
  readonly crds: Fact<readonly CrdFact[]>
  readonly rules: Fact<RulesFact>
  readonly lease: Fact<LeaseFact | undefined>
  /** Namespaces with a Lease of our controller that is held. */
  readonly leaseNamespaces: Fact<readonly string[]>
  readonly controller: Fact<WorkloadFact | undefined>
  readonly agents: Fact<WorkloadFact | undefined>
  readonly policies: Fact<readonly PolicyFact[]>
  readonly migrations: Fact<readonly VolumeMigration[]>
}

export type ClassFact = {
  readonly name: string
  readonly provisioner: string
  readonly type: string | undefined
}

export type CrdFact = {
  readonly name: string
  readonly file: string
  readonly state: 'missing' | 'notServed' | 'stale' | 'current'
  /** The first field that differs, or what the API server says. */
  readonly difference?: string
}

export type RulesFact = {
  /** Whose rules were asked for. */
  readonly account: string
  /** True = the controller's own account, so that the answer counts. */
  readonly ofController: boolean
  readonly denied: readonly Rule[]
  /** Of what replacing a volume takes beside; asked only where a policy wants that. */
  readonly replacing: readonly Rule[]
  /** Of what restarting a workload takes beside; asked only where a policy wants that. */
  readonly restarting: readonly Rule[]
  readonly asked: number
}

/** Of moves that give a claim another volume. */
export type ReplacementFacts = {
  /** How many have a record. */
  readonly unfinished: Fact<number>
  readonly unreadable: Fact<readonly { readonly name: string; readonly why: string }[]>
  /** For longer than a gap takes. */
  readonly lost: Fact<readonly LostClaim[]>
  readonly leftovers: Fact<readonly Leftover[]>
}

export type LostClaim = {
  /** `namespace/name` */
  readonly claim: string
  /** Name of the TieringCheckpoint. */
  readonly record: string
}

export type LeaseFact = {
  readonly holder: string
  /** ms; undefined when it was never renewed. */
  readonly renewedAt: number | undefined
  readonly durationMs: number
  /** ms; set where nobody has held it yet. */
  readonly vacantSince?: number
}

/** A Deployment or a DaemonSet. */
export type WorkloadFact = {
  readonly name: string
  readonly wanted: number
  readonly ready: number
  readonly image: string
  readonly privileged: boolean
  readonly serviceAccount: string
  /** Its pods ask to be scraped, by prometheus.io/scrape. */
  readonly asksForScrape: boolean
  /** The release of Helm that it belongs to. */
  readonly release: HelmRelease | undefined
}

export type HelmRelease = { readonly name: string; readonly namespace: string }

export type PolicyFact = {
  readonly policy: StoragePolicy
  /** Why it cannot be used as stored. */
  readonly problems: readonly string[]
  /** Meaningless while there are problems. */
  readonly effective: EffectivePolicy
}

export type CloudFacts = {
  readonly credential: Fact<CredentialFact>
  readonly login: Fact<LoginFact>
  /** ms; null = it never ends. */
  readonly applicationCredentialEnd: Fact<number | null>
  /** Regions that have block storage. */
  readonly regions: Fact<readonly string[]>
  readonly volumeEndpoint: Fact<string>
  /** Whether the catalog has Gnocchi. */
  readonly hasGnocchi: Fact<boolean>
  readonly microversion: Fact<readonly [number, number]>
  readonly types: Fact<readonly TypeFact[]>
  /** Needs an administrator. */
  readonly pools: Fact<readonly PoolFact[]>
  /** Needs an administrator. */
  readonly qos: Fact<readonly QosFact[]>
  readonly services: Fact<readonly ServiceFact[]>
  readonly quota: Fact<ReadonlyMap<string, QuotaLine>>
  /** Availability zones that a move asks for; missing = not asked. */
  readonly zones?: Fact<readonly string[]>
  /** Volumes of any project for which the scheduler found no backend. */
  readonly noBackend: Fact<readonly NoBackendFact[]>
  /** Origins that gave no answer, and why. */
  readonly unreachable: ReadonlyMap<string, ConnectionFailure>
}

export type CredentialFact = {
  readonly authUrl: string
  readonly kind: 'applicationCredential' | 'password' | 'token'
  readonly interface: string
  readonly region: string | undefined
  readonly insecure: boolean
}

export type LoginFact = {
  readonly user: string
  readonly project: { readonly id: string; readonly name: string }
  readonly roles: readonly string[]
  readonly applicationCredential:
    { readonly id: string; readonly name: string; readonly restricted: boolean } | undefined
  /** ms, end of the user's password; undefined = never reported. */
  readonly passwordEnd: number | undefined
  /** End of the token, ms. */
  readonly tokenEnd: number | undefined
}

export type TypeFact = {
  readonly id: string
  readonly name: string
  readonly isPublic: boolean
  /** As far as the credential sees them. */
  readonly extraSpecs: Readonly<Record<string, string>>
  /** Cinder shows none of them to this credential, whether or not there are any. */
  readonly specsHidden?: true
  /** undefined where the credential does not see it; null = none. */
  readonly qosId: string | null | undefined
  /** Whether our project may use it; undefined where that was not asked. */
  readonly accessible: boolean | undefined
}

export type PoolFact = {
  readonly name: string
  /** \`volume_backend_name\`. */
  readonly backend: string
  /** Names of the capabilities it reports. */
  readonly capabilities: readonly string[]
}
export type QosFact = { readonly id: string; readonly name: string; readonly consumer: string }
export type ServiceFact = {
  readonly host: string
  readonly state: string
  readonly status: string
}
export type NoBackendFact = { readonly volumeId: string; readonly at: number }

export type Fleet = {
  readonly claims: readonly FleetClaim[]
  /** Claims that several policies select, by the names of the policies: `a, b`. */
  readonly conflicts: ReadonlyMap<string, number>
  /** Nodes with a Cinder volume attached. */
  readonly nodes: readonly string[]
  /** Volumes that CSI made, by the cluster's name in their metadata. */
  readonly clusters: ReadonlyMap<string, number>
  /** Made by CSI more than an hour ago, and of no PersistentVolume here. */
  readonly strays: readonly string[]
  /** Types of volumes without a claim here as well, by volume id. */
  readonly typeOfVolume: ReadonlyMap<string, string>
  readonly attachments: readonly VolumeAttachment[]
}

/** A claim that a policy manages, or that asks for one. */
export type FleetClaim = {
  readonly key: string
  readonly storageClass: string
  readonly policy: string | undefined
  /** Why no policy manages it although it asks for one. */
  readonly refusal: string | undefined
  /** `other` = bound to a volume of another driver. */
  readonly driver: 'cinder' | 'other' | 'unbound'
  readonly volumeId: string
  /** undefined = Cinder does not show it. */
  readonly volume: FleetVolume | undefined
  /** Id of the project that the volume belongs to, where that is not ours. Only an administrator sees such a volume. */
  readonly otherProject?: string
  readonly node: string | undefined
  /** `spec.volumeAttributesClassName`. */
  readonly attributesClass: string | undefined
}

export type FleetVolume = {
  readonly status: string
  readonly sizeGiB: number
  readonly typeId: string
  readonly typeName: string
  readonly zone: string
  readonly attached: boolean
  readonly multiattach: boolean
  readonly encrypted: boolean
  readonly groupId?: string
  readonly snapshots: SnapshotsSeen
}

/** What one source of usage numbers answered for its last whole window. */
export type SourceFact = {
  readonly source: SourceName
  /** With endpoint and preset, never with a password. */
  readonly where: string
  readonly preset: string | undefined
  /** Per cent of the samples, by volume id; a missing volume has none. */
  readonly coverage: Fact<ReadonlyMap<string, number>>
  /** Why a volume has none, as far as the source knows. */
  readonly missing: ReadonlyMap<string, string>
  readonly warnings: readonly string[]
  /** Seconds between two samples; undefined = too few to say. */
  readonly intervalSeconds: number | undefined
  readonly windowSeconds: number
  /** Nodes whose agent the source has anything of, asked only where it has no volume; undefined = not known. */
  readonly agentNodes: number | undefined
  /**
   * Asked only where this one does not do: volumes with numbers, by the line of config.yaml that would lead to them.
   */
  readonly others: ReadonlyMap<string, number>
}

export type ClockFact = {
  readonly service: 'Kubernetes' | 'OpenStack' | 'Prometheus'
  /** Origin of its URL. */
  readonly at: string
  /** ms that the clock is ahead of ours, as far as it is certain: 0 within the uncertainty. */
  readonly aheadMs: number
}
