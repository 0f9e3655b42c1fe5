import type { Api } from './api.ts'
import { ApiError } from './api.ts'
import type { ObjectRef } from './types.ts'

/** Why a container cannot be made yet: reported in its status, and tried again. */
export class NotYet extends Error {
  readonly reason: 'ContainerCreating' | 'CreateContainerConfigError' | 'ErrImagePull'

  constructor(reason: NotYet['reason'], message: string) {
    super(message)
    this.reason = reason
  }
}

type Stored = { data?: Record<string, string>; binaryData?: Record<string, string> }

/** The keys of a ConfigMap or Secret; none for one that is optional and absent. Throws NotYet when it must be there. */
export async function keysOf(
  api: Api,
  namespace: string,
  kind: 'configmaps' | 'secrets',
  ref: ObjectRef,
  reason: NotYet['reason'],
): Promise<Map<string, Buffer>> {
  try {
    const path = `/api/v1/namespaces/${namespace}/${kind}/${ref.name}`
    const { data = {}, binaryData = {} } = await api.get<Stored>(path)
    const plain = kind === 'secrets' ? 'base64' : 'utf8'
    return new Map([
      ...Object.entries(data).map(([k, v]) => [k, Buffer.from(v, plain)] as const),
      ...Object.entries(binaryData).map(([k, v]) => [k, Buffer.from(v, 'base64')] as const),
    ])
  } catch (e) {
    if (!(e instanceof ApiError && e.status === 404)) throw e
    if (ref.optional === true) return new Map()
    const name = kind === 'secrets' ? 'secret' : 'configmap'
    throw new NotYet(reason, `${name} "${ref.name}" not found`)
  }
}
