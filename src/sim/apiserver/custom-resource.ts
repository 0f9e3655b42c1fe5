import type { Schema } from './schema.ts'
import type { Column, Definition } from './types.ts'

/** The part of a CustomResourceDefinition that is read. */
export type CustomResourceDefinition = {
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly group: string
    readonly scope: 'Namespaced' | 'Cluster'
    readonly names: {
      readonly plural: string
      readonly singular?: string
      readonly kind: string
      readonly shortNames?: readonly string[]
      readonly categories?: readonly string[]
    }
    readonly versions: readonly CrdVersion[]
  }
}

type CrdVersion = {
  readonly name: string
  readonly served: boolean
  readonly subresources?: { readonly status?: unknown }
  readonly selectableFields?: readonly { readonly jsonPath: string }[]
  readonly additionalPrinterColumns?: readonly {
    readonly name: string
    readonly type: string
    readonly jsonPath: string
    readonly priority?: number
  }[]
  readonly schema: { readonly openAPIV3Schema: Schema }
}

const STRINGS: Schema = { type: 'object', additionalProperties: { type: 'string' } }

/** How `metadata` merges, for every kind. */
export const META_SCHEMA: Schema = {
  type: 'object',
  properties: {
    labels: STRINGS,
    annotations: STRINGS,
    finalizers: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
    ownerReferences: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['uid'],
      items: { type: 'object', 'x-kubernetes-map-type': 'atomic' },
    },
  },
}

/** What a CustomResourceDefinition serves: one definition per served version. */
export function customResources(crd: CustomResourceDefinition): Definition[] {
  return crd.spec.versions.filter((v) => v.served).map((v) => customResource(crd, v))
}

function customResource({ spec }: CustomResourceDefinition, version: CrdVersion): Definition {
  const { names } = spec
  const root = version.schema.openAPIV3Schema
  return {
    group: spec.group,
    version: version.name,
    plural: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    kind: names.kind,
    shortNames: names.shortNames ?? [],
    ...(names.categories === undefined ? {} : { categories: names.categories }),
    namespaced: spec.scope === 'Namespaced',
    status: version.subresources?.status !== undefined,
    custom: true,
    schema: { ...root, properties: { ...root.properties, metadata: META_SCHEMA } },
    generation: true,
    selectable: (version.selectableFields ?? []).map((f) => f.jsonPath.replace(/^\./, '')),
    createOnUpdate: false,
    unconditional: false,
    returnsDeleted: false,
    columns: columnsOf(version),
  }
}

function columnsOf(version: CrdVersion): Column[] {
  const own = version.additionalPrinterColumns
  if (own === undefined) return [{ name: 'Age', type: 'date', path: '.metadata.creationTimestamp' }]
  return own.map(({ name, type, jsonPath, priority }) => ({
    name,
    type,
    path: jsonPath,
    ...(priority === undefined ? {} : { priority }),
  }))
}
