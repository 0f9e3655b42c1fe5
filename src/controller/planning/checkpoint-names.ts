import { fnv1a } from '../../policy/rule-hash.ts'

/** What the API server takes as a name, less what is added behind it. */
const MOST = 240

/** The beginning of the names of a policy's checkpoints: its own name, cut where there would be no room for more. */
export function checkpointBase(policy: string): string {
  if (policy.length <= MOST) return policy
  const hash = fnv1a(new TextEncoder().encode(policy), 0x811c9dc5)
  return `${policy.slice(0, MOST - 9)}-${hash.toString(16).padStart(8, '0')}`
}
