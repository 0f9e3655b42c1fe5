import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { theLab } from './env.ts'

/** One POST that has reached cinder-api, refused or not. */
export type LoggedPost = {
  /** That cinder-api gave it. */
  readonly requestId: string
  /** That its sender gave it: of the controller the id of the intent. */
  readonly intent?: string
  readonly path: string
  /** ms since 1970, when cinder-api began to work on it. */
  readonly at: number
  /** Of a retype: what cinder-api made of it; undefined also where it was killed before it said so. */
  readonly retype?: 'accepted' | 'refused'
}

/** One `os-retype` of a volume as cinder-api's own log reports it. */
export type LoggedRetype = {
  readonly requestId: string
  /** ms since 1970, when cinder-api began to work on it. */
  readonly at: number
  readonly accepted: boolean
}

const file = (): string => join(theLab().state, 'logs', 'cinder-api.log')

/** Where the log ends now, for `postsSince`. */
export function endOfLog(): number {
  return statSync(file()).size
}

/**
 * What the log has from there on, in bytes. It names path and verb in one line and the retype in another; the request id
 * joins them.
 */
export function postsSince(start = 0): readonly LoggedPost[] {
  const log = readFileSync(file()).subarray(start).toString().split('\n')
  const retypes = new Map<string, 'accepted' | 'refused'>()
  for (const line of log) {
    const id = /cinder\.volume\.api \[\S+ (req-[\w-]+)/.exec(line)?.[1]
    if (id === undefined) continue
    if (line.includes('Retype volume request issued successfully')) retypes.set(id, 'accepted')
    else if (line.includes('Retype needs volume')) retypes.set(id, 'refused')
  }
  return log.flatMap((line): LoggedPost[] => {
    const post = POST.exec(line)
    if (post === null) return []
    const [, intent = '', requestId = '', path = ''] = post
    const retype = retypes.get(requestId)
    return [
      {
        requestId,
        path,
        at: Date.parse(line.slice(0, 23).replace(' ', 'T')),
        ...(intent === 'None' ? {} : { intent }),
        ...(retype === undefined ? {} : { retype }),
      },
    ]
  })
}

const POST =
  /cinder\.api\.openstack\.wsgi \[(\S+) (req-[\w-]+).*\] POST https?:\/\/[^/]+(\/[\w/.-]+)/

/** Every action of the volume that reached cinder-api, refused ones too; a detached volume has none but a retype. */
export function actionsOn(volumeId: string): readonly LoggedPost[] {
  return postsSince().filter(({ path }) => path.endsWith(`/volumes/${volumeId}/action`))
}

/** Every retype of the volume that reached cinder-api, refused ones too. */
export function retypesOf(volumeId: string): readonly LoggedRetype[] {
  return actionsOn(volumeId).flatMap(({ requestId, at, retype }) =>
    retype === undefined ? [] : [{ requestId, at, accepted: retype === 'accepted' }],
  )
}
