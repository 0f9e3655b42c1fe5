import type { AuditedCall } from '../../src/audit/read.ts'
import type { CinderRow } from '../lab/cinder-database.ts'
import type { LoggedPost } from '../lab/cinder-log.ts'

/** What the audit says was asked for, and what Cinder says has come. */
export type ActFacts = {
  readonly calls: readonly AuditedCall[]
  readonly posts: readonly LoggedPost[]
  /** Deleted ones too. */
  readonly rows: readonly CinderRow[]
}

/** Paths under which the controller makes something, or begins a retype. */
const MAKING = /\/(volumes|snapshots|volumes\/[^/]+\/action)$/
const MADE_BY_A_MOVE = /^couchestor-/

/**
 * What was done twice: an intent that has reached Cinder more than once, a second retype that Cinder accepted of one move,
 * a second snapshot or copy of one move. And what no line of the audit announced.
 */
export function doubleActs({ calls, posts, rows }: ActFacts): readonly string[] {
  const moves = new Map(calls.map((c) => [c.requestId, c.target.migration?.uid]))
  const arrived = posts.filter(({ intent, path }) => intent !== undefined && MAKING.test(path))
  const retyped = arrived.filter(({ retype }) => retype === 'accepted')
  return [
    ...arrived
      .filter(({ intent }) => !moves.has(intent))
      .map(({ intent, path }) => `POST ${path} (${intent}) is in no line of the audit`),
    ...repeated(arrived.map(({ intent }) => intent)).map((id) => `intent ${id} arrived twice`),
    ...repeated(retyped.map(({ intent }) => moves.get(intent))).map(
      (uid) => `Cinder accepted two retypes of move ${uid}`,
    ),
    ...repeated(
      rows.filter(({ name }) => MADE_BY_A_MOVE.test(name)).map((r) => `${r.kind} ${r.name}`),
    ).map((name) => `Cinder has made two ${name}`),
  ]
}

function repeated(all: readonly (string | undefined)[]): readonly string[] {
  const known = all.filter((each) => each !== undefined)
  return [...new Set(known.filter((each, i) => known.indexOf(each) !== i))]
}
