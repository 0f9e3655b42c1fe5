import type { Manifest } from '../crds/manifests.ts'

type Port = { readonly protocol: string; readonly port: number }
type EgressPolicy = Manifest & {
  readonly spec: { readonly egress: readonly { readonly ports: readonly Port[] }[] }
}

export const TABLE = 'chart_policy'

/**
 * The egress of a NetworkPolicy as a network plug-in would make it: a counted rule per port, and a counted end for all
 * else. Works on addresses after translation, as NetworkPolicies do; answers to who asked, and the pod itself, are free.
 * Remains of a connection that the end of a process has cut short are no attempt of it, and not counted.
 */
export function egressRules(policy: Manifest): string {
  const ports = (policy as EgressPolicy).spec.egress.flatMap((rule) => rule.ports)
  const rules = ports.map(
    ({ protocol, port }) =>
      `oifname "eth0" ${protocol.toLowerCase()} dport ${port} counter accept comment "${protocol} ${port}"`,
  )
  return `
table ip ${TABLE} {
  chain out {
    type filter hook postrouting priority 0; policy accept;
    ct state established,related accept
    ${rules.join('\n    ')}
    ct state invalid drop
    oifname "eth0" counter drop comment "dropped"
  }
}`
}

/** Packets by comment, from `nft -j list table`. */
export function packets(json: string): ReadonlyMap<string, number> {
  type Rule = { rule?: { comment?: string; expr: { counter?: { packets: number } }[] } }
  const { nftables } = JSON.parse(json) as { nftables: Rule[] }
  return new Map(
    nftables.flatMap(({ rule }) => {
      const counter = rule?.expr.find((e) => e.counter !== undefined)?.counter
      return rule?.comment === undefined || counter === undefined
        ? []
        : [[rule.comment, counter.packets] as const]
    }),
  )
}
