import type { Change, Finding, Initiator, ObjectName, Place } from './change.ts'

/** By this field a line of the audit is known among the lines of a log. */
export const MARKER = 'audit'

const EVENT = 'http://schemas.dmtf.org/cloud/audit/1.0/event'
/** Longest name or id; those of Kubernetes and OpenStack are shorter. */
const LONGEST = 256

/** Who writes the line (which term of leadership), and what they know of a policy. */
export type Observer = {
  readonly epoch: number
  readonly generationOf: (policy: string) => number | undefined
}

type Written = {
  readonly change: Change
  readonly at: number
  readonly observer: Observer
}

/** Before the call. */
export function pendingLine(written: Written): string {
  return lineOf(written, { eventType: 'activity', outcome: 'pending' })
}

/** After the call. */
export function outcomeLine(written: Written, finding: Finding, durationMs?: number): string {
  return lineOf(written, { eventType: 'activity', outcome: finding.outcome }, finding, durationMs)
}

/** What was seen of a call's effect in the end: by the same id, for a reader who asks whether the volume has moved. */
export function endLine(written: Written, finding: Finding): string {
  return lineOf(written, { eventType: 'monitor', outcome: finding.outcome }, finding)
}

/** The stream can be written again, which it could not be since `since`. */
export function resumedLine(at: number, observer: Observer, since: number, lost: number): string {
  return toLine({
    typeURI: EVENT,
    id: `resumed-${at}`,
    eventType: 'control',
    eventTime: timeOf(at),
    action: 'enable',
    outcome: 'success',
    initiator: initiatorOf({ kind: 'controller' }, observer),
    target: { typeURI: 'service/storage/audit', id: 'couchestor-audit', name: 'audit' },
    observer: observerOf(observer),
    attachments: [attachment({ since: timeOf(since), ...(lost > 0 && { linesLost: lost }) })],
  })
}

/** Field by field: what is not named here cannot get into a line. */
function lineOf(
  { change, at, observer }: Written,
  what: { readonly eventType: string; readonly outcome: string },
  finding?: Finding,
  durationMs?: number,
): string {
  const { id, action, initiator, target, claim, migration, from, to, requestId } = change
  const reason = finding?.reason
  return toLine({
    typeURI: EVENT,
    id: clip(id),
    eventType: what.eventType,
    eventTime: timeOf(at),
    action: what.eventType === 'monitor' ? `monitor/${action}` : action,
    outcome: what.outcome,
    initiator: initiatorOf(initiator, observer),
    target: {
      typeURI: clip(target.typeURI),
      id: clip(target.id),
      name: clip(target.name),
      ...(claim && { claim: objectOf(claim) }),
      ...(migration && { migration: objectOf(migration) }),
    },
    observer: observerOf(observer),
    ...(reason && { reason: { reasonType: reason.type, reasonCode: clip(reason.code) } }),
    attachments: [
      attachment({
        ...(from && { from: placeOf(from) }),
        ...(to && { to: placeOf(to) }),
        ...(requestId !== undefined && { requestId: clip(requestId) }),
        ...(finding?.answeredId !== undefined && { cinderRequestId: clip(finding.answeredId) }),
        ...(finding?.madeId !== undefined && { madeId: clip(finding.madeId) }),
        ...(durationMs !== undefined && { durationMs: Math.round(durationMs) }),
      }),
    ],
  })
}

function toLine(event: object): string {
  return `${JSON.stringify({ [MARKER]: true, ...event })}\n`
}

function initiatorOf({ kind, name, policy }: Initiator, observer: Observer): object {
  const generation = policy === undefined ? undefined : observer.generationOf(policy)
  const shown = name ?? (kind === 'controller' ? 'couchestor-controller' : 'unknown')
  return {
    typeURI: kind === 'controller' ? 'service/storage' : 'data/security/account/user',
    id: clip(shown),
    name: clip(shown),
    ...(policy !== undefined && {
      policy: { name: clip(policy), ...(generation !== undefined && { generation }) },
    }),
  }
}

function observerOf({ epoch }: Observer): object {
  return {
    typeURI: 'service/storage',
    id: 'couchestor-controller',
    name: 'couchestor-controller',
    epoch,
  }
}

function objectOf({ namespace, name, uid }: ObjectName): object {
  return {
    ...(namespace !== undefined && { namespace: clip(namespace) }),
    name: clip(name),
    ...(uid !== undefined && { uid: clip(uid) }),
  }
}

function placeOf({ tier, typeId, annotations }: Place): object {
  const entries = annotations && Object.entries(annotations)
  return {
    ...(tier !== undefined && { tier: clip(tier) }),
    ...(typeId !== undefined && { typeId: clip(typeId) }),
    ...(entries && {
      annotations: Object.fromEntries(entries.map(([k, v]) => [clip(k), clip(v)])),
    }),
  }
}

function attachment(content: object): object {
  return { name: 'change', contentType: 'application/json', content }
}

const timeOf = (ms: number) => new Date(ms).toISOString()

function clip(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1).toWellFormed()}…`
}
