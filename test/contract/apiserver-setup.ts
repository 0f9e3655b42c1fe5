import type { ApiClient } from './apiserver-client.ts'

/** What the parts of the suite work with; read inside tests only. */
export type Setup = {
  readonly api: ApiClient
  readonly namespace: string
  /** Paths of collections in the namespace. */
  readonly configmaps: string
  readonly claims: string
  readonly widgets: string
  readonly prefix: string
  /** Makes version 1 too old to ask for. */
  readonly forgetHistory: () => Promise<void>
}

/** Asks again until it holds; the real server serves a new CRD, and ends a namespace, only after a moment. */
export async function until(holds: () => Promise<boolean>) {
  for (let i = 0; i < 1200; i++) {
    if (await holds()) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('not reached within two minutes')
}
