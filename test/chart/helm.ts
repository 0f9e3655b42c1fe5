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
): Promise<readonly Manifest[]> {
  const text = await helm(['template', RELEASE, CHART, '--namespace', namespace], values)
  return loadAll(text).filter((document) => document != null) as Manifest[]
}

/** Why these values are refused, or "accepted". */
export async function refusal(values: object): Promise<string> {
  return helm(['template', RELEASE, CHART, '--namespace', NAMESPACE], values).then(
    () => 'accepted',
    (e: unknown) => String(e),
  )
}
