import type { ActivitySource } from './types.ts'

/** A source that cannot be asked, so that policies which name it say why and move nothing, and all others go on. */
export function unavailableSource(name: string, why: string): ActivitySource {
  return { name, lagSeconds: 0, window: () => Promise.resolve({ kind: 'Down', why }) }
}
