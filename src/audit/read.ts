import * as z from 'zod'
import { MARKER } from './line.ts'

const objectName = z.looseObject({
  namespace: z.string().optional(),
  name: z.string(),
  uid: z.string().optional(),
})

const place = z.looseObject({
  tier: z.string().optional(),
  typeId: z.string().optional(),
  annotations: z.record(z.string(), z.string()).optional(),
})

const event = z.looseObject({
  [MARKER]: z.literal(true),
  id: z.string(),
  eventType: z.enum(['activity', 'monitor']),
  eventTime: z.string(),
  action: z.string(),
  outcome: z.enum(['pending', 'success', 'failure', 'unknown']),
  initiator: z.looseObject({
    name: z.string(),
    policy: z.looseObject({ name: z.string(), generation: z.number().optional() }).optional(),
  }),
  target: z.looseObject({
    typeURI: z.string(),
    id: z.string(),
    name: z.string(),
    claim: objectName.optional(),
    migration: objectName.optional(),
  }),
  reason: z.looseObject({ reasonType: z.string(), reasonCode: z.string() }).optional(),
  attachments: z.array(
    z.looseObject({
      content: z.looseObject({
        from: place.optional(),
        to: place.optional(),
        requestId: z.string().optional(),
        cinderRequestId: z.string().optional(),
        durationMs: z.number().optional(),
      }),
    }),
  ),
})

type Event = z.output<typeof event>

/** One call as its lines show it. `undefined` outcome: no line says what became of the call. */
export type AuditedCall = {
  readonly id: string
  readonly at: string
  readonly action: string
  readonly initiator: Event['initiator']
  readonly target: Event['target']
  readonly from: z.output<typeof place> | undefined
  readonly to: z.output<typeof place> | undefined
  readonly requestId: string | undefined
  readonly outcome: 'success' | 'failure' | 'unknown' | undefined
  readonly reason: string | undefined
  readonly cinderRequestId: string | undefined
  readonly durationMs: number | undefined
  /** What was seen in the end of a move that the call began. */
  readonly end:
    | {
        readonly at: string
        readonly outcome: 'success' | 'failure' | 'unknown'
        readonly reason: string | undefined
      }
    | undefined
}

/**
 * The calls of an audit in the order of their first lines, as `add` is given one line after the other. Lines of a log,
 * torn lines and what a tool has put before a line do no harm; a line that was written twice counts once. Only calls
 * about a target that `isWanted` are kept: an audit grows for years.
 */
export class AuditReader {
  readonly #isWanted: (target: AuditedCall['target']) => boolean
  readonly #calls = new Map<string, AuditedCall>()
  #others = 0

  constructor(isWanted: (target: AuditedCall['target']) => boolean = () => true) {
    this.#isWanted = isWanted
  }

  get calls(): readonly AuditedCall[] {
    return [...this.#calls.values()]
  }

  /** Lines of the audit about other targets. */
  get others(): number {
    return this.#others
  }

  add(line: string): void {
    const read = eventIn(line)
    if (read === undefined) return
    if (!this.#isWanted(read.target)) this.#others++
    else this.#calls.set(read.id, withEvent(this.#calls.get(read.id) ?? callOf(read), read))
  }
}

/** `kubectl logs --prefix` and container runtimes put something before each line. */
function eventIn(line: string): Event | undefined {
  const start = line.indexOf(`{"${MARKER}":true,`)
  if (start < 0) return undefined
  try {
    return event.safeParse(JSON.parse(line.slice(start))).data
  } catch {
    return undefined
  }
}

function callOf(e: Event): AuditedCall {
  const { from, to, requestId } = e.attachments[0]?.content ?? {}
  return {
    id: e.id,
    at: e.eventTime,
    action: e.action.replace(/^monitor\//, ''),
    initiator: e.initiator,
    target: e.target,
    from,
    to,
    requestId,
    outcome: undefined,
    reason: undefined,
    cinderRequestId: undefined,
    durationMs: undefined,
    end: undefined,
  }
}

function withEvent(call: AuditedCall, e: Event): AuditedCall {
  const { outcome, eventType, eventTime } = e
  if (outcome === 'pending') return call
  const reason = e.reason?.reasonCode
  if (eventType === 'monitor') return { ...call, end: { at: eventTime, outcome, reason } }
  const { cinderRequestId, durationMs } = e.attachments[0]?.content ?? {}
  return { ...call, outcome, reason, cinderRequestId, durationMs }
}
