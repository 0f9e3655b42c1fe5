import type { ErrorCode } from './error-codes.ts'

/**
 * A mistake only a person can mend. The message says field, value and fix in one sentence.
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

/** The message of anything thrown, without a stack. */
export function messageOf(e: unknown): string {
  return e instanceof Error ? e.message : String(e)
}
