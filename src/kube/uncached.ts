import { messageOf, stable } from '../errors.ts'
import { ConnectionError } from '../http.ts'
import { resourceName, SELF_SUBJECT_ACCESS_REVIEW } from './resources.ts'
import { ApiError } from './types.ts'
import type { KubeClient, KubeObject, Resource } from './types.ts'

/** What became of one write. All of them name uid or name: a second one changes nothing that the first did not. */
export type WriteAnswer =
  | { readonly kind: 'Accepted' }
  | { readonly kind: 'Rejected'; readonly httpStatus: number; readonly message: string }
  | {
      readonly kind: 'NotSent'
      readonly message: string
      /** The line that has to come before it could not be written to the audit. */
      readonly unaudited?: true
    }
  | { readonly kind: 'Unknown'; readonly message: string }

export type Right = { readonly verb: string; readonly resource: Resource }

/** Asked right before a call is sent; throws when it may not be. */
export type Fence = () => void

/** The object; undefined only when the API server itself says that there is none. */
export async function found<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading
  } catch (e) {
    // a proxy that knows no such page says nothing about the object
    if (e instanceof ApiError && e.reason === 'NotFound' && e.byServer) return undefined
    throw e
  }
}

const PAGE = 500

/**
 * Every page, from the server's own storage: a cache may be behind what was written last. What is not wanted is not kept
 * longer than its page.
 */
export async function all<T extends KubeObject>(
  client: KubeClient,
  resource: Resource,
  namespace?: string,
  isWanted: (item: T) => boolean = () => true,
): Promise<readonly T[]> {
  const items: T[] = []
  let next: string | undefined
  do {
    const page = await client.list<T>(resource, {
      limit: PAGE,
      ...(namespace === undefined ? {} : { namespace }),
      ...(next === undefined ? {} : { continue: next }),
    })
    items.push(...page.items.filter(isWanted))
    next = page.continue
  } while (next !== undefined)
  return items
}

/** Those of `rights` that the role lacks, as they are shown: `create persistentvolumes`. */
export async function missing(
  client: KubeClient,
  rights: readonly Right[],
): Promise<readonly string[]> {
  const answers = await Promise.all(rights.map((right) => isAllowed(client, right)))
  return rights
    .filter((_, i) => !answers[i])
    .map(({ verb, resource }) => `${verb} ${resourceName(resource)}`)
}

async function isAllowed(client: KubeClient, { verb, resource }: Right): Promise<boolean> {
  const review = {
    metadata: { name: '' },
    spec: {
      resourceAttributes: { verb, group: resource.group, resource: resource.plural },
    },
  }
  const { status } = (await client.create(SELF_SUBJECT_ACCESS_REVIEW, review)) as {
    readonly status?: { readonly allowed?: boolean }
  }
  return status?.allowed === true
}

/** The fence is asked right before each time that it is sent: what it never let pass was never sent. */
export async function write(
  fence: Fence,
  send: (fenced: { readonly fence: Fence }) => Promise<unknown>,
): Promise<WriteAnswer> {
  let sent = 0
  const counted = () => {
    fence()
    sent++
  }
  try {
    await send({ fence: counted })
    return { kind: 'Accepted' }
  } catch (e) {
    const message = stable(messageOf(e))
    if (e instanceof ApiError && isRefusal(e))
      return { kind: 'Rejected', httpStatus: e.status, message }
    const isUnsent = sent === 0 || (sent === 1 && e instanceof ConnectionError && !e.sent)
    if (!isUnsent) return { kind: 'Unknown', message }
    const isUnaudited = e instanceof Error && 'unaudited' in e
    return { kind: 'NotSent', message, ...(isUnaudited ? { unaudited: true } : {}) }
  }
}

/** The API server itself says no: what a proxy answers before it, or a failure of its own, is none. */
export function isRefusal({ status, byServer }: ApiError): boolean {
  return status < 500 && byServer
}
