import { CLOUD } from './catalogue/cloud.ts'
import { CLUSTER } from './catalogue/cluster.ts'
import { FLEET } from './catalogue/fleet.ts'
import { REPLACEMENTS } from './catalogue/replacements.ts'
import { TYPES } from './catalogue/types.ts'
import type { CatalogueEntry } from './groups.ts'

/** Every finding of the doctor. Codes are API: they are added, never renamed. */
export const CATALOGUE = {
  ...CLUSTER,
  ...CLOUD,
  ...TYPES,
  ...FLEET,
  ...REPLACEMENTS,
} as const satisfies Readonly<Record<string, CatalogueEntry>>
export type FindingCode = keyof typeof CATALOGUE
