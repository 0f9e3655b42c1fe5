import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadAll } from 'js-yaml'
import { describe } from 'vitest'
import type { Manifest } from '../crds/manifests.ts'
import { command } from '../lab/command.ts'
import { CHART, NAMESPACE, RELEASE } from './helm.ts'

// `helm template` asks no cluster: with helm in PATH or in the lab's cache it needs no lab.

const CACHE = process.env['COUCHESTOR_LAB_CACHE'] ?? join(homedir(), '.cache', 'couchestor-lab')
const ENV = { PATH: `${process.env['PATH'] ?? ''}:${join(CACHE, 'bin')}`, KUBECONFIG: '/dev/null' }
const hasHelm =
  spawnSync('helm', ['version'], { env: { ...process.env, ...ENV }, stdio: 'ignore' }).status === 0

/** A `describe` for tests that need helm and nothing else: skipped, and reported as skipped, where there is none. */
export const describeChart = hasHelm ? describe : describe.skip

/** What the chart is with these values: objects in Helm's order. */
export async function rendered(
  values: object = {},
  args: readonly string[] = [],
): Promise<readonly Manifest[]> {
  return objectsOf(await template(CHART, values, args))
}

/** Why these values are refused, or "accepted". */
export async function refused(values: object, args: readonly string[] = []): Promise<string> {
  return template(CHART, values, args).then(
    () => 'accepted',
    (e: unknown) => String(e),
  )
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
    const objects = objectsOf(await template(copy, values, ['--show-only', 'templates/notes.yaml']))
    return String(objects[0]?.['text'])
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function template(chart: string, values: object, args: readonly string[]): Promise<string> {
  const where = ['template', RELEASE, chart, '--namespace', NAMESPACE, ...args]
  const input = JSON.stringify(values)
  return command('helm', [...where, '--values', '-'], { env: ENV, input })
}

function objectsOf(text: string): readonly Manifest[] {
  return loadAll(text).filter((document) => document != null) as Manifest[]
}
