import { rfc3339 } from '../time.ts'
import { ANNOTATION } from './names.ts'

const YEARS = 5
const LONGEST_MS = YEARS * 366 * 86_400_000

/** The end of a force, ms since the epoch, or why it is none. */
export type ForceUntil =
  { readonly ok: true; readonly at: number } | { readonly ok: false; readonly problem: string }

/**
 * Reads `couchestor.io/force-until`: RFC 3339 with a zone and nothing else. "48" or "2026" would pin a volume for decades,
 * or for no time at all. An end further ahead than five years is taken for a slip. `now` in ms.
 */
export function parseForceUntil(text: string, now: number): ForceUntil {
  const at = rfc3339(text)
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text
  if (at === undefined)
    return problem(
      `${ANNOTATION.forceUntil}: "${shown}" is no time with a zone, so nothing moves; write it as 2030-01-31T18:00:00Z`,
    )
  if (at - now > LONGEST_MS)
    return problem(
      `${ANNOTATION.forceUntil}: "${shown}" is more than ${YEARS} years ahead, so nothing moves; remove the annotation to force the tier without an end`,
    )
  return { ok: true, at }
}

function problem(text: string): ForceUntil {
  return { ok: false, problem: text }
}
