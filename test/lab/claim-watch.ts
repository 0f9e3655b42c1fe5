import { labTarget } from '../contract/target-apiserver.ts'
import { theLab } from './env.ts'
import type { FleetClaim } from './fleet.ts'

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

type Seen = { readonly at: number; readonly what: 'gone' | 'there' | 'Lost' | 'Bound' }
type WatchEvent = {
  type: string
  object: { kind: string; metadata: { uid: string }; status?: { phase?: string } }
}

const FOREVER_MS = 3_600_000

export async function watchClaim(namespace: string, claim: FleetClaim): Promise<ClaimWatch> {
  const target = labTarget(theLab())
  const stop = new AbortController()
  const seen: Seen[] = []
  const broken: unknown[] = []
  const hooks = new Map<number, () => void>()
  const note = (what: Seen['what']) => {
    seen.push({ at: performance.now(), what })
    if (what === 'gone') hooks.get(seen.filter((s) => s.what === 'gone').length)?.()
  }
  /** Resolves when the watch is open. */
  const open = async (path: string, name: string, on: (event: WatchEvent) => void) => {
    const query = `watch=1&timeoutSeconds=3600&fieldSelector=metadata.name%3D${name}`
    const url = `${target.url}${path}?${query}`
    const request = { method: 'GET', url, signal: stop.signal, timeoutMs: FOREVER_MS }
    const response = await target.http.request(request)
    const read = async () => {
      let rest = ''
      for await (const chunk of response.chunks()) {
        const lines = (rest + chunk).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) on(JSON.parse(line) as WatchEvent)
      }
    }
    // it ends by `close` only
    read().catch((e: unknown) => stop.signal.aborted || broken.push(e))
  }
  let phase = 'Bound'
  await Promise.all([
    open('/api/v1/persistentvolumes', claim.pv, ({ type }) => {
      if (type === 'DELETED') note('gone')
      if (type === 'ADDED') note('there')
    }),
    open(`/api/v1/namespaces/${namespace}/persistentvolumeclaims`, claim.name, ({ object }) => {
      const now = object.status?.phase ?? ''
      if (now !== phase && (now === 'Lost' || now === 'Bound')) note(now)
      phase = now
    }),
  ])
  return {
    gaps: () => gapsOf(seen),
    atGap: (n, then) => void hooks.set(n, then),
    close: async () => {
      stop.abort()
      await target.close()
      if (broken.length > 0) throw new Error('a watch broke', { cause: broken[0] })
    },
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
