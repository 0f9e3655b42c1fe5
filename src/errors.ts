import type { ErrorCode } from './error-codes.ts'

/** Something that is not as it should be, and what to do about it. */
export type Problem = {
  /** With field and value. */
  readonly what: string
  /** An instruction; left out where nothing can be done, or where `what` leaves no doubt. */
  readonly fix?: string | undefined
}

/** Both parts as one sentence: `what: fix`, or with a semicolon where a colon stands already, outside of brackets. */
export function sentenceOf({ what, fix }: Problem): string {
  if (fix === undefined) return what
  const hasColon = what.replaceAll(/\([^()]*\)/g, '').includes(': ')
  return `${what}${hasColon ? ';' : ':'} ${fix}`
}

/**
 * A mistake only a person can fix. The message is both parts in one sentence. Anything else that is thrown is a bug or an
 * outage.
 */
export class UserError extends Error implements Problem {
  override readonly name = 'UserError'
  /** Stable code, documented in docs/errors.md. */
  readonly code: ErrorCode
  readonly what: string
  readonly fix: string | undefined
  constructor(
    code: ErrorCode,
    what: string,
    { fix, cause }: { fix?: string | undefined; cause?: unknown } = {},
  ) {
    super(sentenceOf({ what, fix }), cause === undefined ? {} : { cause })
    this.code = code
    this.what = what
    this.fix = fix
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
