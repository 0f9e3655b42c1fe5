import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadAll } from 'js-yaml'
import type { Manifest } from '../crds/manifests.ts'
import { command } from '../lab/command.ts'
import { theLab } from '../lab/env.ts'

export const CHART = 'charts/couchestor'
export const RELEASE = 'couchestor'
export const NAMESPACE = 'couchestor-system'

/** Runs the real helm as the lab's administrator. Throws on a non-zero exit. */
export function helm(args: readonly string[], values?: object): Promise<string> {
  const options = { env: theLab().env, timeoutMs: 300_000 }
  if (values === undefined) return command('helm', args, options)
  return command('helm', [...args, '--values', '-'], { ...options, input: JSON.stringify(values) })
}

/** What the chart is with these values, without a cluster: objects in Helm's order. */
export async function render(
  values: object = {},
  namespace = NAMESPACE,
  args: readonly string[] = [],
): Promise<readonly Manifest[]> {
  const where = ['template', RELEASE, CHART, '--namespace', namespace, ...args]
  const text = await helm(where, values)
  return loadAll(text).filter((document) => document != null) as Manifest[]
}

/** What NOTES.txt says, which `helm template` leaves out: by a copy of the chart that has it in an object. */
export async function notes(values: object = {}): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'couchestor-notes-'))
  try {
    const copy = join(directory, 'couchestor')
    cpSync(CHART, copy, { recursive: true })
    const include = '{{ include (print $.Template.BasePath "/NOTES.txt") . | toYaml }}'
    writeFileSync(
      join(copy, 'templates', 'notes.yaml'),
      `apiVersion: v1\nkind: Notes\nmetadata: {name: notes}\ntext: ${include}\n`,
    )
    const only = ['--show-only', 'templates/notes.yaml']
    const text = await helm(['template', RELEASE, copy, '--namespace', NAMESPACE, ...only], values)
    const [made] = loadAll(text) as { readonly text?: unknown }[]
    return String(made?.text)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** Why these values are refused, or "accepted". */
export async function refusal(values: object): Promise<string> {
  return helm(['template', RELEASE, CHART, '--namespace', NAMESPACE], values).then(
    () => 'accepted',
    (e: unknown) => String(e),
  )
}
