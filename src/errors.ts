import type { ErrorCode } from './error-codes.ts'

/**
 * A mistake only a person can fix. The message says field, value and fix in one sentence.
 * Anything else that is thrown is a bug or an outage.
 */
export class UserError extends Error {
  override readonly name = 'UserError'
  /** Stable code, documented in docs/errors.md. */
  readonly code: ErrorCode
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/**
 * `text` without what differs from one attempt to the next (request ids), for a status or an event: the same trouble must
 * read the same, or each attempt is one more write.
 */
export function stable(text: string): string {
  return text
    .replace(/[,;]? *\(?\brequest(?:[-_ ]?id)?:? *req-[\w-]+\)?/gi, '')
    .replace(/\breq-[\w-]{8,}/g, 'req-…')
}

/** The message of anything thrown, without a stack. */
export function messageOf(e: unknown): string {
  return e instanceof Error ? e.message : String(e)
}
