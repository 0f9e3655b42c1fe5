import type { MigrationStatusReason } from '../../api/reasons.ts'
import type { Meanings } from '../../blockers/blocker.ts'
import { messageOf, stable } from '../../errors.ts'
import type { Answer } from '../../migration/unsent.ts'
import { isMissingRight } from '../../openstack/errors.ts'

/** Reasons of `unread`. */
export const UNREAD = {
  MissingPermission:
    'The role of the controller, or the OpenStack credential, lacks a right that is needed to read or to act.',
  CinderDown: 'Cinder or Keystone does not answer; nothing is started blindly.',
} as const satisfies Meanings

/** What a move waits for that could not be asked about. */
export function unread(e: unknown): Answer {
  const message = stable(messageOf(e))
  if (!isMissingRight(e)) return { over: false, reason: 'CinderDown', message }
  return {
    over: false,
    reason: 'MissingPermission',
    message: `the OpenStack credential lacks a right that a safe move needs: ${message}`,
  }
}

/** The answer that a refusal is to a waiting move. */
export function waiting(
  refusal: { reason: MigrationStatusReason; message: string } | undefined,
): Answer | undefined {
  if (refusal === undefined) return undefined
  const { reason, message } = refusal
  return reason === 'NoLongerWanted'
    ? { over: true, reason, message }
    : { over: false, reason, message }
}
