import * as z from 'zod'
import { applicationCredentialEnd } from '../../../openstack/application-credential.ts'
import { openStackTime } from '../../../time.ts'
import type { Session } from '../../../openstack/session.ts'
import { Catalog, regionsOf } from '../../../openstack/catalog.ts'
import type { LoginFact } from '../facts.ts'

const Named = z.object({ id: z.string(), name: z.string() })
const LoginBody = z.object({
  token: z.object({
    user: Named.extend({ password_expires_at: z.string().nullish() }),
    project: Named,
    roles: z.array(z.object({ name: z.string() })).default([]),
    expires_at: z.string().nullish(),
    application_credential: Named.extend({ restricted: z.boolean().default(true) }).nullish(),
    catalog: Catalog,
  }),
})

export type Login = {
  readonly fact: LoginFact
  readonly userId: string
  readonly regions: readonly string[]
  readonly hasGnocchi: boolean
}

/** What Keystone sent with the token. Throws when it sent less than every Keystone does. */
export function loginOf(document: unknown): Login {
  const body = LoginBody.safeParse(document)
  if (!body.success)
    throw new Error('Keystone did not return user, project and roles with the token')
  const { user, project, roles, catalog, ...rest } = body.data.token
  const given = rest.application_credential
  return {
    userId: user.id,
    regions: regionsOf(catalog, 'block-storage'),
    hasGnocchi: catalog.some((c) => c.type === 'metric' && c.endpoints.length > 0),
    fact: {
      user: user.name,
      project,
      roles: roles.map((r) => r.name),
      applicationCredential: given ?? undefined,
      passwordEnd: openStackTime(user.password_expires_at),
      tokenEnd: openStackTime(rest.expires_at),
    },
  }
}

/** End of the application credential, ms; null = it has none. Throws when Keystone does not show it. */
export async function credentialEnd(
  session: Session,
  login: Login,
  signal: AbortSignal,
): Promise<number | null> {
  const id = login.fact.applicationCredential?.id
  if (id === undefined) return null
  const answer = await applicationCredentialEnd(session, { userId: login.userId, id }, signal)
  if (!answer.shown) throw new Error(`Keystone answered ${answer.status} when asked for its end`)
  return answer.end ?? null
}
