import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { dump } from 'js-yaml'
import { readValues } from './chart-values.ts'
import type { JsonSchema, ValueDoc } from './chart-values.ts'
import { valuesSchema } from './chart-schema.ts'
import { table } from './reasons-reference.ts'

const CHART = 'charts/couchestor'
const BEGIN = '<!-- values: made from values.yaml by "npm run generate" -->'
const END = '<!-- end of values -->'

type AnyCrd = {
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly versions: readonly [
      { readonly schema: { readonly openAPIV3Schema: { properties?: Record<string, unknown> } } },
    ]
  }
}

/**
 * Files of the chart that are made from others, by path: the CRDs as templates, the schema of the values and the table
 * of them in the README. `crds` by file name.
 */
export async function chartFiles(
  root: string,
  crds: ReadonlyMap<string, unknown>,
): Promise<readonly (readonly [string, string])[]> {
  const read = (name: string) => readFile(join(root, CHART, name), 'utf8')
  const docs = readValues(await read('values.yaml'))
  const definitions = [...crds] as [string, AnyCrd][]
  const policy = definitions.find(([, { metadata }]) =>
    metadata.name.startsWith('storagepolicies.'),
  )
  const spec = policy?.[1].spec.versions[0].schema.openAPIV3Schema.properties?.['spec']
  if (spec === undefined) throw new Error('crds/ has no schema of StoragePolicy')
  return [
    ...definitions.map(
      ([name, crd]) => [`${CHART}/templates/crds/${name}`, crdTemplate(name, crd)] as const,
    ),
    [`${CHART}/values.schema.json`, valuesSchema(docs, spec as JsonSchema)],
    [`${CHART}/README.md`, withValues(await read('README.md'), docs)],
  ]
}

/** A definition that goes with the release and stays when the release goes. */
function crdTemplate(name: string, crd: AnyCrd): string {
  const { metadata, ...rest } = crd
  const body = dump(rest, { noRefs: true, lineWidth: 120 })
  // braces in a description are no template
  const escaped = body.replaceAll('{{', '{{ "{{" }}')
  const apiVersion = escaped.slice(0, escaped.indexOf('spec:\n'))
  return [
    `{{- /* Made from crds/${name} by "npm run generate". */ -}}`,
    '{{- if .Values.crds.enabled }}',
    `${apiVersion}metadata:`,
    `  name: ${metadata.name}`,
    '  labels:',
    '    {{- include "couchestor.labels" (dict "root" $) | nindent 4 }}',
    '  {{- $keep := .Values.crds.keep | ternary (dict "helm.sh/resource-policy" "keep") dict }}',
    '  {{- include "couchestor.annotations" (dict "root" $ "extra" $keep) | nindent 2 }}',
    `${escaped.slice(escaped.indexOf('spec:\n'))}{{- end }}`,
    '',
  ].join('\n')
}

function withValues(readme: string, docs: readonly ValueDoc[]): string {
  const from = readme.indexOf(BEGIN)
  const to = readme.indexOf(END)
  if (from < 0 || to < from) throw new Error(`${CHART}/README.md has no "${BEGIN}" and "${END}"`)
  const whole = docs.filter((d) => !d.path.includes('.') && childrenOf(d, docs).length === 0)
  const groups = docs.filter((d) => !d.path.includes('.') && childrenOf(d, docs).length > 0)
  const lines = [
    BEGIN,
    '',
    ...valueTable(whole, docs),
    ...groups.flatMap((g) => [
      `### ${g.path}`,
      '',
      ...(g.meaning === '' ? [] : [g.meaning, '']),
      ...valueTable(leavesOf(g, docs), docs),
    ]),
  ]
  return `${readme.slice(0, from)}${lines.join('\n').trimEnd()}\n\n${readme.slice(to)}`
}

function valueTable(rows: readonly ValueDoc[], docs: readonly ValueDoc[]): string[] {
  return table(
    ['Value', 'Default', 'Meaning'],
    rows.map((d) => [`\`${d.path}\``, shown(d.value), d.meaning || parentOf(d, docs)]),
  )
}

/** A switch alone in its group is explained at the group. */
function parentOf({ path }: ValueDoc, docs: readonly ValueDoc[]): string {
  const parent = path.slice(0, path.lastIndexOf('.'))
  return parent.includes('.') ? (docs.find((d) => d.path === parent)?.meaning ?? '') : ''
}

function leavesOf(doc: ValueDoc, docs: readonly ValueDoc[]): ValueDoc[] {
  return childrenOf(doc, docs).flatMap((child) =>
    childrenOf(child, docs).length === 0 ? [child] : leavesOf(child, docs),
  )
}

/** Keys below; those of Kubernetes' own types are shown with their parent. */
function childrenOf(doc: ValueDoc, docs: readonly ValueDoc[]): ValueDoc[] {
  const isForeign = '$ref' in doc.schema && doc.path !== 'config'
  if (isForeign || typeof doc.schema['additionalProperties'] === 'object') return []
  const depth = doc.path.split('.').length + 1
  return docs.filter((d) => d.path.startsWith(`${doc.path}.`) && d.path.split('.').length === depth)
}

function shown(value: unknown): string {
  return value === '' ? '' : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``
}
