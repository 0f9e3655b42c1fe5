import * as z from 'zod'
import { answerError, CinderError } from '../../../openstack/errors.ts'
import { nameOf } from '../../../openstack/session.ts'
import type { Session } from '../../../openstack/session.ts'
import { openStackTime } from '../../../time.ts'
import type { NoBackendFact, PoolFact, QosFact, ServiceFact, TypeFact } from '../facts.ts'

type Ask = {
  readonly operation: string
  readonly path: string
  readonly microversion?: string
}

/** One answer of Cinder by its schema. Throws `CinderError`, with code Forbidden where the credential is not allowed to read. */
async function ask<T>(
  session: Session,
  { operation, path, microversion }: Ask,
  schema: z.ZodType<T>,
  signal: AbortSignal,
): Promise<T> {
  const what = { service: 'block-storage', operation } as const
  const answer = await session.request({
    ...what,
    method: 'GET',
    path,
    retry: 'safe',
    signal,
    ...(microversion === undefined ? {} : { microversion }),
  })
  if (answer.status !== 200) throw answerError(nameOf(what), answer, session.clean)
  const body = schema.safeParse(answer.json)
  if (body.success) return body.data
  throw new CinderError({
    code: 'ServerError',
    sent: true,
    status: answer.status,
    message: `${nameOf(what)} answered what cannot be read`,
  })
}

/** The rows that can be read: one odd row is no reason to know nothing of the others. */
function rows<T>(row: z.ZodType<T>) {
  return z.array(z.unknown()).transform((all) =>
    all.flatMap((one): T[] => {
      const parsed = row.safeParse(one)
      return parsed.success ? [parsed.data] : []
    }),
  )
}

const TypesBody = z.object({
  volume_types: rows(
    z.object({
      id: z.string(),
      name: z.string(),
      is_public: z.boolean().default(true).catch(true),
      extra_specs: z.record(z.string(), z.string()).nullish().catch(undefined),
      qos_specs_id: z.string().nullish().catch(undefined),
    }),
  ),
})

/** All types that the credential sees, with what it sees of them; `accessible` is not asked here. */
export async function typesOf(session: Session, signal: AbortSignal): Promise<readonly TypeFact[]> {
  const read = { operation: 'types.list', path: '/types?is_public=None&limit=1000' }
  const { volume_types } = await ask(session, read, TypesBody, signal)
  return volume_types.map((t) => ({
    id: t.id,
    name: t.name,
    isPublic: t.is_public,
    extraSpecs: t.extra_specs ?? {},
    ...(t.extra_specs ? {} : { specsHidden: true as const }),
    qosId: t.qos_specs_id,
    accessible: t.is_public ? true : undefined,
  }))
}

const AccessBody = z.object({ volume_type_access: z.array(z.object({ project_id: z.string() })) })

/** Whether the project may use each private type; for an administrator, since to a member Cinder shows no others. */
export async function withAccess(
  session: Session,
  types: readonly TypeFact[],
  projectId: string,
  signal: AbortSignal,
): Promise<readonly TypeFact[]> {
  return Promise.all(
    types.map(async (type) => {
      if (type.isPublic) return type
      const read = { operation: 'types.access', path: `/types/${type.id}/os-volume-type-access` }
      const body = await ask(session, read, AccessBody, signal).catch(() => undefined)
      const accessible = body?.volume_type_access.some((a) => a.project_id === projectId)
      return { ...type, accessible: accessible ?? true }
    }),
  )
}

const PoolsBody = z.object({
  pools: rows(
    z.object({
      name: z.string(),
      capabilities: z
        .looseObject({ volume_backend_name: z.string().default('') })
        .default({ volume_backend_name: '' }),
    }),
  ),
})

export async function poolsOf(session: Session, signal: AbortSignal): Promise<readonly PoolFact[]> {
  const read = { operation: 'pools.list', path: '/scheduler-stats/get_pools?detail=True' }
  const { pools } = await ask(session, read, PoolsBody, signal)
  return pools.map(({ name, capabilities }) => ({
    name,
    backend: capabilities.volume_backend_name,
    capabilities: Object.keys(capabilities),
  }))
}

const QosBody = z.object({
  qos_specs: rows(z.object({ id: z.string(), name: z.string(), consumer: z.string() })),
})

export async function qosOf(session: Session, signal: AbortSignal): Promise<readonly QosFact[]> {
  const read = { operation: 'qos.list', path: '/qos-specs' }
  return (await ask(session, read, QosBody, signal)).qos_specs
}

const ServicesBody = z.object({
  services: rows(
    z.object({ binary: z.string(), host: z.string(), state: z.string(), status: z.string() }),
  ),
})

export async function servicesOf(
  session: Session,
  signal: AbortSignal,
): Promise<readonly ServiceFact[]> {
  const read = { operation: 'services.list', path: '/os-services' }
  const { services } = await ask(session, read, ServicesBody, signal)
  return services.filter((s) => s.binary === 'cinder-volume')
}

/** Messages came with 3.3, their filters with 3.5. */
const MESSAGES = '3.5'
/** "schedule allocate volume" that ended in "no storage could be allocated". */
const NO_BACKEND = /_001_003$/

const MessagesBody = z.object({
  messages: rows(
    z.object({
      event_id: z.string(),
      resource_uuid: z.string().nullish(),
      created_at: z.string(),
    }),
  ),
})

/** Volumes for which the scheduler found no backend in the last 30 days; Cinder shows those of other projects too. */
export async function noBackendOf(
  session: Session,
  signal: AbortSignal,
): Promise<readonly NoBackendFact[]> {
  const query = 'resource_type=VOLUME&sort=created_at:desc&limit=500'
  const read = { operation: 'messages.list', path: `/messages?${query}`, microversion: MESSAGES }
  const { messages } = await ask(session, read, MessagesBody, signal)
  return messages.flatMap((m) => {
    const at = openStackTime(m.created_at)
    if (at === undefined || !NO_BACKEND.test(m.event_id)) return []
    return [{ volumeId: m.resource_uuid ?? '', at }]
  })
}
