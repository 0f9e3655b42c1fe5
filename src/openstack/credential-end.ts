import { Gauge } from 'prom-client'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { METRIC_PREFIX } from '../metrics.ts'
import type { Registry } from '../metrics.ts'
import { applicationCredentialEnd } from './application-credential.ts'
import type { Owner } from './authenticate.ts'
import type { Session } from './session.ts'

/**
 * Reports when the credential of a session ends, as a metric; asked again at each login, which is about once an hour. A
 * credential without an end, or one that is not allowed to read itself, leaves the metric unset: that is no error.
 */
export class CredentialEnd {
  readonly #gauge: Gauge
  readonly #log: Log
  #asking = false

  constructor(registry: Registry, log: Log) {
    this.#log = log
    this.#gauge = new Gauge({
      name: `${METRIC_PREFIX}openstack_credential_expires_timestamp_seconds`,
      help: 'When the application credential or password expires; missing where it has no end, or Keystone does not report it.',
      registers: [registry],
    })
    this.#gauge.remove()
  }

  /** Never throws. */
  async note(session: Session, owner: Owner): Promise<void> {
    // Keystone answers 401 where access rules forbid the question, which makes the session log in again, and that note again
    if (this.#asking) return
    this.#asking = true
    try {
      const end = await endOf(session, owner)
      if (end === undefined) this.#gauge.remove()
      else this.#gauge.set(end / 1000)
    } catch (e) {
      this.#log.debug({ err: messageOf(e) }, 'Keystone does not report when the credential ends')
    } finally {
      this.#asking = false
    }
  }
}

/** ms; undefined = it has none, or Keystone does not show it. */
async function endOf(session: Session, owner: Owner): Promise<number | undefined> {
  const { userId, applicationCredentialId: id, passwordEnd } = owner
  // an application credential outlives the password of its user
  if (userId === undefined || id === undefined) return passwordEnd
  const answer = await applicationCredentialEnd(session, { userId, id })
  return answer.shown ? answer.end : undefined
}
