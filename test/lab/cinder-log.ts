import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { theLab } from './env.ts'

/** One `os-retype` of a volume as cinder-api's own log reports it. */
export type LoggedRetype = {
  readonly requestId: string
  /** ms since 1970, when cinder-api began to work on it. */
  readonly at: number
  readonly accepted: boolean
}

/**
 * Every retype of the volume that reached cinder-api, refused ones too. The log names volume and verb in one line and the
 * retype in another; the request id joins them.
 */
export function retypesOf(volumeId: string): readonly LoggedRetype[] {
  const log = readFileSync(join(theLab().state, 'logs', 'cinder-api.log'), 'utf8').split('\n')
  const retypes = new Map<string, boolean>()
  for (const line of log) {
    const id = /cinder\.volume\.api \[\S+ (req-[\w-]+)/.exec(line)?.[1]
    if (id === undefined) continue
    if (line.includes('Retype volume request issued successfully')) retypes.set(id, true)
    else if (line.includes('Retype needs volume')) retypes.set(id, false)
  }
  return log.flatMap((line) => {
    if (!line.includes('cinder.api.openstack.wsgi')) return []
    if (!line.includes(`/volumes/${volumeId}/action`) || !line.includes('] POST ')) return []
    const requestId = /\[\S+ (req-[\w-]+)/.exec(line)?.[1] ?? ''
    const accepted = retypes.get(requestId)
    if (accepted === undefined) return []
    const at = Date.parse(`${line.slice(0, 23).replace(' ', 'T')}`)
    return [{ requestId, at, accepted }]
  })
}

/** Every action of the volume that reached cinder-api, refused ones too; a detached volume has none but a retype. */
export function actionsOn(volumeId: string): readonly string[] {
  const log = readFileSync(join(theLab().state, 'logs', 'cinder-api.log'), 'utf8').split('\n')
  return log.filter(
    (line) =>
      line.includes('cinder.api.openstack.wsgi') &&
      line.includes(`/volumes/${volumeId}/action`) &&
      line.includes('] POST '),
  )
}
