import bundled from '../../../api/crds.json' with { type: 'json' }
import { API_VERSION, VERSION } from '../../../api/names.ts'
import type { Transport } from '../../../kube/transport.ts'
import { isForbidden } from '../../../kube/missing-right.ts'
import { ApiError } from '../../../kube/types.ts'
import type { KubeClient, KubeObject } from '../../../kube/types.ts'
import type { CrdFact } from '../facts.ts'
import { firstDifference } from './schema-difference.ts'
import type { Schema } from './schema-difference.ts'
import { CUSTOM_RESOURCE_DEFINITION } from './resources.ts'

type Version = {
  readonly name: string
  readonly served?: boolean
  readonly schema?: { readonly openAPIV3Schema?: Schema }
}
export type Crd = KubeObject & {
  readonly spec: {
    readonly names: { readonly kind: string }
    readonly versions: readonly Version[]
  }
  readonly status?: { readonly conditions?: readonly { type: string; status: string }[] }
}

const OURS = bundled as unknown as readonly Crd[]

/**
 * How the definitions in the cluster compare with those this program was built with. Where they may not be read, what
 * the API server publishes of them to everybody is compared instead.
 */
export async function gatherCrds(
  kube: KubeClient,
  transport: Transport,
): Promise<readonly CrdFact[]> {
  try {
    return await Promise.all(OURS.map((ours) => compareWithStored(kube, ours)))
  } catch (e) {
    if (!isForbidden(e)) throw e
    return compareWithPublished(transport)
  }
}

async function compareWithStored(kube: KubeClient, ours: Crd): Promise<CrdFact> {
  try {
    const theirs = await kube.get<Crd>(CUSTOM_RESOURCE_DEFINITION, ours.metadata.name)
    return { ...nameOf(ours), ...judge(ours, theirs) }
  } catch (e) {
    if (e instanceof ApiError && e.status === 404) return { ...nameOf(ours), state: 'missing' }
    throw e
  }
}

/** Pure: the state of a definition as stored. */
export function judge(ours: Crd, theirs: Crd): Pick<CrdFact, 'state' | 'difference'> {
  const served = theirs.spec.versions.find((v) => v.name === VERSION)
  if (served?.served !== true)
    return { state: 'notServed', difference: `version ${VERSION} is not served` }
  const established = theirs.status?.conditions?.find((c) => c.type === 'Established')
  if (established !== undefined && established.status !== 'True')
    return { state: 'notServed', difference: 'condition Established is not True' }
  return compared(schemaOf(ours), served.schema?.openAPIV3Schema)
}

function compared(
  ours: Schema | undefined,
  theirs: Schema | undefined,
): Pick<CrdFact, 'state' | 'difference'> {
  const difference = firstDifference(ours ?? {}, theirs ?? {})
  return difference === undefined ? { state: 'current' } : { state: 'stale', difference }
}

async function compareWithPublished(transport: Transport): Promise<readonly CrdFact[]> {
  let schemas: Readonly<Record<string, Schema>> = {}
  try {
    const path = `/openapi/v3/apis/${API_VERSION}`
    const text = await transport.call({ method: 'GET', path, repeat: 'always' })
    schemas = (JSON.parse(text) as Published).components?.schemas ?? {}
  } catch (e) {
    if (!(e instanceof ApiError) || e.status !== 404) throw e
  }
  return OURS.map((ours) => {
    const { kind } = ours.spec.names
    const theirs = Object.entries(schemas).find(([name]) => name.endsWith(`.${kind}`))?.[1]
    if (theirs === undefined) return { ...nameOf(ours), state: 'missing' as const }
    return { ...nameOf(ours), ...compared(specOf(schemaOf(ours)), specOf(theirs)) }
  })
}

type Published = { readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> } }

/** What is published has the standard fields worked in; the part that is ours is `spec`. */
function specOf(schema: Schema | undefined): Schema | undefined {
  const properties = schema?.['properties'] as Readonly<Record<string, Schema>> | undefined
  return properties?.['spec']
}

function schemaOf(crd: Crd): Schema | undefined {
  return crd.spec.versions.find((v) => v.name === VERSION)?.schema?.openAPIV3Schema
}

function nameOf(crd: Crd): Pick<CrdFact, 'name' | 'file'> {
  const [plural] = crd.metadata.name.split('.')
  return { name: crd.metadata.name, file: `deploy/crds/couchestor.io_${plural}.yaml` }
}
