import { isEmptySelector, matchesSelector } from '../../../src/api/selector.ts'
import type { LabelSelector } from '../../../src/api/storage-policy.ts'
import { GATEWAY } from './network.ts'
import type { Pod } from './types.ts'

type Port = {
  readonly protocol?: string
  readonly port?: number | string
  readonly endPort?: number
}

type Peer = {
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] }
  readonly namespaceSelector?: LabelSelector
  readonly podSelector?: LabelSelector
}

export type NetworkPolicy = {
  readonly metadata: { readonly namespace: string }
  readonly spec: {
    readonly podSelector?: LabelSelector
    readonly policyTypes?: readonly string[]
    readonly ingress?: readonly {
      readonly from?: readonly Peer[]
      readonly ports?: readonly Port[]
    }[]
    readonly egress?: readonly { readonly to?: readonly Peer[]; readonly ports?: readonly Port[] }[]
  }
}

/** What policies refer to: labels of namespaces, and pods with their addresses. */
export type Surroundings = {
  readonly policies: readonly NetworkPolicy[]
  readonly namespaces: ReadonlyMap<string, Readonly<Record<string, string>>>
  readonly pods: readonly Pod[]
}

/**
 * The rules of a pod's own network namespace, for nftables; a pod that no policy selects may do everything. As with most
 * network plug-ins, ports are those of the endpoint (the API server's 6443, not its Service's 443), the node may always come
 * in (probes), and a connection that stands is not cut. Ports by name are known for ingress only.
 */
export function rulesOf(pod: Pod, around: Surroundings): string {
  const { namespace, labels = {} } = pod.metadata
  const mine = around.policies.filter(
    ({ metadata, spec }) => metadata.namespace === namespace && selects(spec.podSelector, labels),
  )
  const into = mine.filter((p) => typesOf(p).includes('Ingress'))
  const out = mine.filter((p) => typesOf(p).includes('Egress'))
  const ingress = into.flatMap(({ spec }) =>
    (spec.ingress ?? []).flatMap((r) => lines('saddr', r.from, r.ports, namespace, pod, around)),
  )
  const egress = out.flatMap(({ spec }) =>
    (spec.egress ?? []).flatMap((r) => lines('daddr', r.to, r.ports, namespace, undefined, around)),
  )
  return `table ip allowed
delete table ip allowed
table ip allowed {
${chain('input', into.length > 0, [`ip saddr ${GATEWAY} accept`, ...ingress])}
${chain('output', out.length > 0, egress)}
}`
}

/** Here an empty selector means all. */
function selects(
  selector: LabelSelector | undefined,
  labels: Readonly<Record<string, string>>,
): boolean {
  return isEmptySelector(selector) || matchesSelector(selector, labels)
}

function typesOf({ spec }: NetworkPolicy): readonly string[] {
  return spec.policyTypes ?? ['Ingress', ...(spec.egress === undefined ? [] : ['Egress'])]
}

function chain(hook: 'input' | 'output', closed: boolean, rules: readonly string[]): string {
  // by address, not by device: what goes to the lab's services was on its way to the loopback device
  const always = ['ct state established,related accept', 'ip daddr 127.0.0.0/8 accept']
  const all = closed ? [...always, ...rules, 'drop'] : []
  return [`chain ${hook} {`, `type filter hook ${hook} priority 0`, ...all, '}'].join('\n')
}

/** One line for each peer and protocol; no peers at all means everybody, no ports every port. */
function lines(
  side: 'saddr' | 'daddr',
  peers: readonly Peer[] | undefined,
  ports: readonly Port[] | undefined,
  namespace: string,
  named: Pod | undefined,
  around: Surroundings,
): string[] {
  const who =
    peers === undefined || peers.length === 0
      ? ['']
      : peers.flatMap((peer) => addresses(side, peer, namespace, around))
  const what =
    ports === undefined || ports.length === 0 ? [''] : ports.flatMap((p) => port(p, named))
  return who.flatMap((w) => what.map((p) => [w, p, 'accept'].filter((t) => t !== '').join(' ')))
}

function addresses(
  side: string,
  { ipBlock, namespaceSelector, podSelector }: Peer,
  namespace: string,
  { pods, namespaces }: Surroundings,
): string[] {
  if (ipBlock) {
    const except = ipBlock.except ?? []
    const but = except.length > 0 ? ` ip ${side} != { ${except.join(', ')} }` : ''
    return [`ip ${side} ${ipBlock.cidr}${but}`]
  }
  const ips = pods.flatMap(({ metadata, status }) => {
    const near =
      namespaceSelector === undefined
        ? metadata.namespace === namespace
        : selects(namespaceSelector, namespaces.get(metadata.namespace) ?? {})
    const chosen = near && selects(podSelector, metadata.labels ?? {})
    return chosen && status?.podIP !== undefined ? [status.podIP] : []
  })
  return ips.length === 0 ? [] : [`ip ${side} { ${[...new Set(ips)].toSorted().join(', ')} }`]
}

function port({ protocol = 'TCP', port: wanted, endPort }: Port, named: Pod | undefined): string[] {
  const name = protocol.toLowerCase()
  if (wanted === undefined) return [`ip protocol ${name}`]
  if (typeof wanted === 'number')
    return [`${name} dport ${endPort === undefined ? wanted : `${wanted}-${endPort}`}`]
  const all = named?.spec.containers.flatMap((c) => c.ports ?? []) ?? []
  return all.filter((p) => p.name === wanted).map((p) => `${name} dport ${p.containerPort}`)
}
