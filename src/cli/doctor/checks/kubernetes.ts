import type { Facts } from '../facts.ts'
import { finding, ok } from '../finding.ts'
import type { Line } from '../finding.ts'

/** The API server. */
export function checkKubernetes({ cluster: { server, me } }: Facts): readonly Line[] {
  if (!server.known) return [finding('KubernetesUnreachable', server.why)]
  const who = me.known ? ` as ${me.value}` : ''
  return [ok(`API server ${server.value.url} answers (${server.value.version})${who}`)]
}
