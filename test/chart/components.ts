import { loadAll } from 'js-yaml'
import type { Manifest } from '../crds/manifests.ts'
import { CHART, helm, NAMESPACE, RELEASE } from './helm.ts'
import { agentOf, controllerOf, one } from './shapes.ts'
import type { PodSpec, Workload } from './shapes.ts'

/** What a platform team sets in the first week, for all components alike. */
export const COMPONENTS = ['controller', 'agent', 'exporter'] as const
export type Component = (typeof COMPONENTS)[number]

export const EXPORTER = { exporter: { enabled: true } }
export const ALL = { ...EXPORTER, controller: {}, agent: {} }

/** The same values for every component, and the exporter switched on. */
export function each(values: object): object {
  return Object.fromEntries(
    COMPONENTS.map((c) => [c, c === 'exporter' ? { enabled: true, ...values } : values]),
  )
}

export function workloadOf(objects: readonly Manifest[], component: Component): Workload {
  if (component === 'agent') return agentOf(objects)
  if (component === 'controller') return controllerOf(objects)
  return one<Workload>(objects, 'Deployment', 'ceilometer-exporter')
}

export const podOf = (objects: readonly Manifest[], component: Component) =>
  workloadOf(objects, component).spec.template.spec

/** Pods of workloads and of hooks. */
export function pods(objects: readonly Manifest[]): readonly PodSpec[] {
  return objects.flatMap((o) => {
    if (o.kind === 'Pod') return [(o as unknown as { readonly spec: PodSpec }).spec]
    return (o as Workload).spec?.template?.spec ?? []
  })
}

export async function renderOn(
  args: readonly string[],
  values: object,
): Promise<readonly Manifest[]> {
  const text = await helm(['template', RELEASE, CHART, '--namespace', NAMESPACE, ...args], values)
  return loadAll(text).filter((document) => document != null) as Manifest[]
}
