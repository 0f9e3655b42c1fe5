import * as z from 'zod'
import { openStackTime } from '../time.ts'
import type { Session } from './session.ts'

const Answer = z.object({
  application_credential: z.object({ expires_at: z.string().nullish() }),
})

/** `end` in ms, undefined = it has none. Where Keystone does not show it: the status of its answer. */
export type ApplicationCredentialEnd =
  | { readonly shown: true; readonly end: number | undefined }
  | { readonly shown: false; readonly status: number }

/** Asks Keystone when an application credential ends. Throws as the session does; one may be forbidden to read itself. */
export async function applicationCredentialEnd(
  session: Session,
  { userId, id }: { readonly userId: string; readonly id: string },
  signal?: AbortSignal,
): Promise<ApplicationCredentialEnd> {
  const answer = await session.request({
    service: 'identity',
    operation: 'application-credentials.get',
    method: 'GET',
    // the catalog names the identity service with or without /v3
    base: 'root',
    path: `/v3/users/${userId}/application_credentials/${id}`,
    retry: 'safe',
    ...(signal === undefined ? {} : { signal }),
  })
  const body = Answer.safeParse(answer.json)
  if (answer.status !== 200 || !body.success) return { shown: false, status: answer.status }
  return { shown: true, end: openStackTime(body.data.application_credential.expires_at) }
}
