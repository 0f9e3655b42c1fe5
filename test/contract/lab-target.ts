import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { load } from 'js-yaml'
import { theLab } from '../lab/env.ts'
import { signal } from '../lab/processes.ts'
import type { CloudTarget, PasswordLogin } from './cloud-target.ts'

type CloudsYaml = {
  readonly clouds: Readonly<Record<string, { readonly auth: Readonly<Record<string, string>> }>>
}

/** The lab's real Keystone and Cinder, with the credentials of its clouds.yaml. */
export function labTarget(): Promise<CloudTarget> {
  const { clouds } = load(readFileSync(join(theLab().state, 'clouds.yaml'), 'utf8')) as CloudsYaml
  const login = (name: string): PasswordLogin => {
    const auth = clouds[name]!.auth
    return {
      username: auth['username']!,
      password: auth['password']!,
      project: auth['project_name']!,
    }
  }
  const operator = clouds['operator']!.auth
  return Promise.resolve({
    authUrl: operator['auth_url']!,
    admin: login('admin'),
    couchestor: login('couchestor'),
    other: login('other'),
    operator: {
      id: operator['application_credential_id']!,
      secret: operator['application_credential_secret']!,
    },
    prefix: `contract-${randomBytes(3).toString('hex')}`,
    now: () => Date.now(),
    pass: (ms) => delay(ms),
    underWay: async (work) => {
      signal('cinder-volume', 'SIGSTOP')
      try {
        return await work()
      } finally {
        signal('cinder-volume', 'SIGCONT')
      }
    },
    stop: () => Promise.resolve(),
  })
}
