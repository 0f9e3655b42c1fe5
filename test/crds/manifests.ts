import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadAll } from 'js-yaml'

/** Any Kubernetes object as a person writes it. */
export type Manifest = {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name?: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
  }
} & Readonly<Record<string, unknown>>

/** The installation guide's manifests as its readers have them: these files are never changed to suit us. */
export const GUIDE = 'test/crds/guide'

export function guideFiles(): string[] {
  return readdirSync(GUIDE).toSorted()
}

export function manifestsIn(...path: readonly string[]): Manifest[] {
  return loadAll(readFileSync(join(...path), 'utf8')) as Manifest[]
}
