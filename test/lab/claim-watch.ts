import type { FleetClaim } from './fleet.ts'
import { createWatches } from './watches.ts'

/** A time without the PersistentVolume of a claim. All in ms; undefined = not over, or not seen. */
export type Gap = {
  /** From the end of the old object to the new one. */
  readonly gone: number | undefined
  /** For how long the claim was `Lost`; 0 = Kubernetes did not notice. */
  readonly lost: number | undefined
}

/** What a claim and its PersistentVolume go through, as the API server reports it, within milliseconds. */
export interface ClaimWatch {
  gaps(): readonly Gap[]
  /** `then` is called at the very moment at which the PersistentVolume has gone for the n-th time, 1 = first. */
  atGap(n: number, then: () => void): void
  close(): Promise<void>
}

type Claim = { readonly status?: { readonly phase?: string } }
type Seen = { readonly at: number; readonly what: 'gone' | 'there' | 'Lost' | 'Bound' }

export async function watchClaim(namespace: string, claim: FleetClaim): Promise<ClaimWatch> {
  const watches = createWatches()
  const seen: Seen[] = []
  const hooks = new Map<number, () => void>()
  const note = (what: Seen['what']) => {
    seen.push({ at: performance.now(), what })
    if (what === 'gone') hooks.get(seen.filter((s) => s.what === 'gone').length)?.()
  }
  let phase = 'Bound'
  const only = (name: string) => ({ fieldSelector: `metadata.name=${name}` })
  await Promise.all([
    watches.open('/api/v1/persistentvolumes', only(claim.pv), ({ type }) => {
      if (type === 'DELETED') note('gone')
      if (type === 'ADDED') note('there')
    }),
    watches.open<Claim>(
      `/api/v1/namespaces/${namespace}/persistentvolumeclaims`,
      only(claim.name),
      ({ object }) => {
        const now = object.status?.phase ?? ''
        if (now !== phase && (now === 'Lost' || now === 'Bound')) note(now)
        phase = now
      },
    ),
  ])
  return {
    gaps: () => gapsOf(seen),
    atGap: (n, then) => void hooks.set(n, then),
    close: watches.close,
  }
}

function gapsOf(seen: readonly Seen[]): readonly Gap[] {
  const starts = seen.flatMap(({ what }, i) => (what === 'gone' ? [i] : []))
  return starts.map((start, i) => {
    const after = seen.slice(start, starts[i + 1])
    const at = (what: Seen['what']) => after.find((s) => s.what === what)?.at
    const [there, lost, bound] = [at('there'), at('Lost'), at('Bound')]
    const over = (from: number | undefined, to: number | undefined) =>
      from === undefined || to === undefined ? undefined : Math.round(to - from)
    return {
      gone: over(after[0]?.at, there),
      lost: lost === undefined ? 0 : over(lost, bound),
    }
  })
}
