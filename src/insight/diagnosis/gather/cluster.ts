import type { Config } from '../../../api/config.ts'
import { effectivePolicy } from '../../../api/effective-policy.ts'
import { LEASE_NAME } from '../../../api/names.ts'
import { listOnce } from '../../../controller/view/watches.ts'
import type { WatchedPolicy, Watches } from '../../../controller/view/watches.ts'
import { UserError } from '../../../errors.ts'
import type { Problem } from '../../../errors.ts'
import { accessProblem, isJsonObject, notKubernetes } from '../../../kube/access-problem.ts'
import type { Lease } from '../../../kube/lease-record.ts'
import * as resources from '../../../kube/resources.ts'
import { resourceName } from '../../../kube/resources.ts'
import { ApiError } from '../../../kube/types.ts'
import type { KubeClient, KubeObject, Reflector, Resource } from '../../../kube/types.ts'
import { rfc3339 } from '../../../time.ts'
import { whoAmI } from '../../who.ts'
import type { DoctorDeps } from '../deps.ts'
import { attempt, following, known, unknown, valueOf } from '../fact.ts'
import type { Fact } from '../fact.ts'
import type { ClusterFacts, HelmRelease, LeaseFact, PolicyFact, WorkloadFact } from '../facts.ts'
import { gatherCrds } from './crds.ts'
import { CSI_DRIVER, DAEMON_SET, DEPLOYMENT } from './resources.ts'
import { gatherRules } from './rules.ts'

/** The kinds the controller watches, listed once; `refusals` names those that could not be. */
export type Listed = {
  readonly watches: Watches
  readonly refusals: ReadonlyMap<string, Fact<never>>
}

const DEFAULT_ACCOUNT = 'couchestor'
const PAGE = 500

/** Everything of Kubernetes. Without an API server nothing else is tried. */
export async function gatherCluster(
  deps: DoctorDeps,
  config: Config,
): Promise<{ readonly facts: ClusterFacts; readonly listed: Fact<Listed> }> {
  const { client, transport } = deps.kube
  const { namespace } = deps
  const server = await attempt(deps, () => serverOf(deps))
  const read = <T>(fn: () => Promise<T>) => following(deps, server, fn)
  const offered = read(() => client.serves(resources.VALIDATING_ADMISSION_POLICY))
  const [listed, me, drivers, crds, lease, leaseNamespaces, controller, agents] = await Promise.all(
    [
      read(() => listKinds(deps)),
      read(() => whoAmI(client)),
      read(async () => (await all(client, CSI_DRIVER)).map((d) => d.metadata.name)),
      read(() => gatherCrds(client, transport)),
      read(() => leaseOf(client, namespace)),
      read(() => leaseNamespacesOf(client)),
      read(() => workload(client, DEPLOYMENT, namespace, 'controller')),
      read(() => workload(client, DAEMON_SET, namespace, 'agent')),
    ],
  )
  const admissionOffered = await offered
  const admissionPolicies = await following(deps, admissionOffered, (isOffered) =>
    isOffered ? admissionPoliciesOf(client) : Promise.resolve([]),
  )
  const kind = <T>(of: (w: Watches) => Reflector<T>): Fact<readonly T[]> => storeOf(listed, of)
  const classes = kind((w) => w.classes)
  const watched = kind((w) => w.policies)
  const policies = watched.known ? known(watched.value.map((p) => policyFact(p, config))) : watched
  const rules = await following(deps, me, (name) =>
    gatherRules(client, name, accountOf(namespace, controller, name), {
      secretName: config.openstack.credentialRef?.secretName,
      replacing: (valueOf(policies) ?? []).some(
        (p) => p.effective.migration.strategy === 'snapshot-restore',
      ),
      restarting: (valueOf(policies) ?? []).some(
        (p) => p.effective.migration.workloads === 'Restart',
      ),
    }),
  )
  return {
    listed,
    facts: {
      server,
      admissionOffered,
      admissionPolicies,
      me,
      drivers,
      crds,
      rules,
      lease,
      leaseNamespaces,
      controller,
      agents,
      classes,
      policies,
      migrations: kind((w) => w.migrations),
    },
  }
}

/** The controller's account. One of its namespace that is not allowed to read the Deployment is taken for it: it runs in the pod. */
function accountOf(
  namespace: string,
  controller: Fact<WorkloadFact | undefined>,
  me: string,
): { readonly namespace: string; readonly serviceAccount: string } {
  const inPod = `system:serviceaccount:${namespace}:`
  if (!controller.known && me.startsWith(inPod))
    return { namespace, serviceAccount: me.slice(inPod.length) }
  return { namespace, serviceAccount: valueOf(controller)?.serviceAccount || DEFAULT_ACCOUNT }
}

function unreachable({ what, fix }: Problem, cause?: unknown): UserError {
  return new UserError('KubeUnreachable', what, { fix, cause })
}

async function serverOf({ kube }: DoctorDeps): Promise<{ url: string; version: string }> {
  const version = { method: 'GET', path: '/version', repeat: 'unprocessed' } as const
  const text = await kube.transport.call(version).catch((e: unknown) => {
    const problem = accessProblem(e, kube.server)
    throw problem === undefined ? e : unreachable(problem, e)
  })
  if (!isJsonObject(text)) throw unreachable(notKubernetes(kube.server, 'the kubeconfig'))
  const { gitVersion } = JSON.parse(text) as { gitVersion?: string }
  return { url: kube.server, version: gitVersion ?? 'unknown version' }
}

/** `listOnce` gives up at the first kind that is refused or not installed; here the others are still of use. */
async function listKinds({ kube, clock }: DoctorDeps): Promise<Listed> {
  const refusals = new Map<string, Fact<never>>()
  const tolerant: KubeClient = {
    ...kube.client,
    list: async (resource, query, signal) => {
      try {
        return await kube.client.list(resource, query, signal)
      } catch (e) {
        if (!(e instanceof ApiError) || ![401, 403, 404].includes(e.status)) throw e
        refusals.set(resourceName(resource), unknown(lacks(e, resource), e.status !== 404))
        return { items: [], resourceVersion: '' }
      }
    },
  }
  return { watches: await listOnce({ kube: tolerant, clock }), refusals }
}

function lacks(e: ApiError, resource: Resource): string {
  const name = resourceName(resource)
  return e.status === 404
    ? `the API server has no ${name}`
    : `this account may not list ${name} in the whole cluster`
}

function storeOf<T>(listed: Fact<Listed>, of: (w: Watches) => Reflector<T>): Fact<readonly T[]> {
  if (!listed.known) return listed
  const reflector = of(listed.value.watches)
  const refusal = listed.value.refusals.get(reflector.health().resource)
  return refusal ?? known([...reflector.store.values()])
}

function policyFact({ policy, problems }: WatchedPolicy, config: Config): PolicyFact {
  const spec = problems.length > 0 ? { tiers: [] } : policy.spec
  return { policy, problems, effective: effectivePolicy(spec, config) }
}

async function all<T extends KubeObject>(
  client: KubeClient,
  resource: Resource,
): Promise<readonly T[]> {
  const found: T[] = []
  let next: string | undefined
  do {
    const page = await client.list<T>(resource, {
      limit: PAGE,
      ...(next === undefined ? {} : { continue: next }),
    })
    found.push(...page.items)
    next = page.continue
  } while (next)
  return found
}

async function leaseOf(client: KubeClient, namespace: string): Promise<LeaseFact | undefined> {
  try {
    const { metadata, spec } = await client.get<Lease>(resources.LEASE, LEASE_NAME, namespace)
    return {
      holder: spec?.holderIdentity ?? '',
      renewedAt: rfc3339(spec?.renewTime ?? ''),
      durationMs: (spec?.leaseDurationSeconds ?? 0) * 1000,
      ...(spec?.acquireTime === undefined && metadata.creationTimestamp !== undefined
        ? { vacantSince: Date.parse(metadata.creationTimestamp) }
        : {}),
    }
  } catch (e) {
    if (e instanceof ApiError && e.status === 404) return undefined
    throw e
  }
}

async function leaseNamespacesOf(client: KubeClient): Promise<readonly string[]> {
  const fieldSelector = `metadata.name=${LEASE_NAME}`
  const { items } = await client.list<Lease>(resources.LEASE, { fieldSelector, limit: PAGE })
  return items.filter((l) => l.spec?.holderIdentity).map((l) => l.metadata.namespace ?? '')
}

type AdmissionPolicy = KubeObject & {
  readonly spec?: {
    readonly matchConstraints?: {
      readonly resourceRules?: readonly {
        readonly apiGroups?: readonly string[]
        readonly resources?: readonly string[]
      }[]
    }
  }
}

/** Names of those that check VolumeMigrations, whatever they are called. */
async function admissionPoliciesOf(client: KubeClient): Promise<readonly string[]> {
  const policies = await all<AdmissionPolicy>(client, resources.VALIDATING_ADMISSION_POLICY)
  const { group, plural } = resources.VOLUME_MIGRATION
  return policies
    .filter(({ spec }) =>
      spec?.matchConstraints?.resourceRules?.some(
        (r) => r.apiGroups?.includes(group) === true && r.resources?.includes(plural) === true,
      ),
    )
    .map((p) => p.metadata.name)
}

type Container = {
  readonly image?: string
  readonly securityContext?: { readonly privileged?: boolean }
}
type Workload = KubeObject & {
  readonly spec?: {
    readonly replicas?: number
    readonly template?: {
      readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> }
      readonly spec?: { readonly serviceAccountName?: string; readonly containers?: Container[] }
    }
  }
  readonly status?: {
    readonly readyReplicas?: number
    readonly desiredNumberScheduled?: number
    readonly numberReady?: number
  }
}

/** The one with the guide's name or labels, or with the usual labels of a chart. */
async function workload(
  client: KubeClient,
  resource: Resource,
  namespace: string,
  component: string,
): Promise<WorkloadFact | undefined> {
  const { items } = await client.list<Workload>(resource, { namespace, limit: PAGE })
  const own = items.find(
    ({ metadata: { name, labels = {} } }) =>
      name === `couchestor-${component}` ||
      (labels['app'] === 'couchestor' && labels['component'] === component) ||
      (labels['app.kubernetes.io/name'] === 'couchestor' &&
        labels['app.kubernetes.io/component'] === component),
  )
  return own && factOf(own)
}

function factOf(own: Workload): WorkloadFact {
  const { spec, status } = own
  const { metadata, spec: pod } = spec?.template ?? {}
  const containers = pod?.containers ?? []
  return {
    name: own.metadata.name,
    wanted: spec?.replicas ?? status?.desiredNumberScheduled ?? 0,
    ready: status?.readyReplicas ?? status?.numberReady ?? 0,
    image: containers[0]?.image ?? '',
    privileged: containers.some((c) => c.securityContext?.privileged === true),
    serviceAccount: pod?.serviceAccountName ?? '',
    asksForScrape: metadata?.annotations?.['prometheus.io/scrape'] === 'true',
    release: releaseOf(own),
  }
}

/** By the marks that Helm itself goes by. */
function releaseOf({ metadata }: KubeObject): HelmRelease | undefined {
  const { labels = {}, annotations = {}, namespace = '' } = metadata
  const name = annotations['meta.helm.sh/release-name']
  if (labels['app.kubernetes.io/managed-by'] !== 'Helm' || name === undefined) return undefined
  return { name, namespace: annotations['meta.helm.sh/release-namespace'] ?? namespace }
}
