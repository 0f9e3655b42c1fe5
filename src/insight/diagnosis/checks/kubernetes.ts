import type { Facts } from '../facts.ts'
import { finding, ok } from '../finding.ts'
import type { Line } from '../finding.ts'

/** The API server, and whether it can check who approves a move. */
export function checkKubernetes(facts: Facts): readonly Line[] {
  const { server, me } = facts.cluster
  if (!server.known) return [finding('KubernetesUnreachable', server.why)]
  const who = me.known ? ` as ${me.value}` : ''
  return [
    ok(`API server ${server.value.url} answers (${server.value.version})${who}`),
    ...admissionLines(facts, server.value.version),
  ]
}

function admissionLines({ cluster, config }: Facts, version: string): readonly Line[] {
  const { admissionOffered, admissionPolicies, policies } = cluster
  if (!admissionOffered.known) return []
  const approving = (policies.known ? policies.value : [])
    .filter((p) => p.problems.length === 0 && p.effective.mode === 'Approve')
    .map((p) => p.policy.metadata.name)
  if (!admissionOffered.value) {
    if (config.config.admission.acceptPlainRbac)
      return [ok(`${version} has no ValidatingAdmissionPolicy; config.yaml accepts plain RBAC`)]
    const held = approving.length === 0 ? '' : `; mode Approve of ${approving.join(', ')} is held`
    return [finding('NoAdmissionPolicy', `${version} has no ValidatingAdmissionPolicy${held}`)]
  }
  // an account without the right to read it knows nothing against it
  if (!admissionPolicies.known || admissionPolicies.value.length > 0 || approving.length === 0)
    return []
  return [
    finding(
      'AdmissionMissing',
      `policy ${approving.join(', ')} has mode Approve, and no ValidatingAdmissionPolicy is about VolumeMigrations`,
    ),
  ]
}
