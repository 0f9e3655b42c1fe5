import type * as z from 'zod'
import { camelName } from './camel-cased.ts'
import type { Config } from './config.ts'
import { configSchema } from './config-schema.ts'
import { docOf, unwrapped } from './keys.ts'
import type { KeyDoc } from './keys.ts'

/** What a person should know about config.yaml, one line each. Said once at start. */
export function notices(config: Config): string[] {
  return [...keysWithoutEffect(config), ...withoutUsage(config)]
}

/** One line for each key that is read but does not do what its name says. */
export function keysWithoutEffect(config: Config): string[] {
  const byKey = Map.groupBy(notedIn(configSchema, config, []), (found) => found.noted)
  return [...byKey].map(([noted, found]) =>
    typeof noted === 'string'
      ? noted
      : noted(
          String(found[0]!.value),
          found.flatMap((f) => f.names),
        ),
  )
}

type Found = {
  readonly noted: NonNullable<KeyDoc['noted']>
  readonly value: unknown
  /** Names of one's own that lead to it. */
  readonly names: readonly string[]
}

function notedIn(schema: z.core.$ZodType, value: unknown, names: readonly string[]): Found[] {
  if (value === undefined || value === false) return []
  const noted = docOf(schema)?.noted
  if (noted !== undefined) return [{ noted, value, names }]
  const { def } = unwrapped(schema)._zod
  const inner = value as Record<string, unknown>
  if (def.type === 'record') {
    const { valueType } = def as z.core.$ZodRecordDef
    return Object.entries(inner).flatMap(([name, v]) => notedIn(valueType, v, [...names, name]))
  }
  if (def.type !== 'object') return []
  const { shape } = def as z.core.$ZodObjectDef
  return Object.entries(shape).flatMap(([name, child]) =>
    notedIn(child, inner[camelName(name, child)], names),
  )
}

function withoutUsage({ metrics, prometheus }: Config): string[] {
  if (metrics.source !== 'Prometheus' || prometheus.endpoint !== undefined) return []
  return [
    'prometheus.endpoint is not set: without usage numbers nothing moves except what is forced or asked for by hand; with metrics.source Gnocchi none is needed',
  ]
}
