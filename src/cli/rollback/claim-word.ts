import { UserError } from '../../errors.ts'
import { claimName } from '../explain/run-explain.ts'
import type { Flags } from '../flags.ts'

export type ClaimName = { readonly namespace: string; readonly name: string }

const KINDS: ReadonlySet<string> = new Set([
  'pvc',
  'persistentvolumeclaim',
  'persistentvolumeclaims',
])

/** `NAMESPACE/CLAIM`; or `CLAIM` and `pvc/CLAIM`, in `usual`. Throws `UserError` for anything else. */
export function claimOf(word: string, usual: string): ClaimName {
  const [first = '', second, ...rest] = word.split('/')
  if (second === undefined || KINDS.has(first)) return { namespace: usual, name: claimName(word) }
  if (first === '' || second === '' || rest.length > 0)
    throw new UserError('FlagsInvalid', `"${word}" is not a claim`, {
      fix: 'write NAMESPACE/CLAIM',
    })
  return { namespace: first, name: second }
}

/** Throws `UserError` for two namespaces. */
export function checkClaim([word = '']: readonly string[], flags: Flags): void {
  const given = flags['namespace']
  const { namespace } = claimOf(word, given ?? 'default')
  if (given !== undefined && given !== namespace)
    throw new UserError('FlagsInvalid', `"${word}" and --namespace ${given} name two namespaces`, {
      fix: 'leave one of them out',
    })
}
