/** What is done to the world outside, as CADF names actions: a verb, and what it is refined to. */
export type Action = Verb | `${Verb}/${string}`
type Verb = 'create' | 'update' | 'delete'

/** Who is behind a change: the controller by a policy, or the person who approved it or asked for it. */
export type Initiator = {
  readonly kind: 'controller' | 'person'
  /** undefined: a person whose name is not on record. */
  readonly name?: string | undefined
  /** Name of the policy. */
  readonly policy?: string | undefined
}

/** An object of Kubernetes. */
export type ObjectName = {
  readonly namespace?: string | undefined
  readonly name: string
  readonly uid?: string | undefined
}

/** Where a volume is, or is to be. */
export type Place = {
  readonly tier?: string | undefined
  readonly typeId?: string | undefined
  /** Annotations as they were, or are to be. */
  readonly annotations?: Readonly<Record<string, string>> | undefined
}

/** One call that changes something, as it is known before it is made. Nothing else of the call is ever written down. */
export type Change = {
  /** One for both lines. */
  readonly id: string
  readonly action: Action
  readonly initiator: Initiator
  readonly target: {
    /** `storage/volume`, `storage/snapshot`, `storage/backup`, or `data/` and the resource. */
    readonly typeURI: string
    /** Of what is made, and has none yet: its name. */
    readonly id: string
    readonly name: string
  }
  readonly claim?: ObjectName | undefined
  /** The VolumeMigration that it belongs to. */
  readonly migration?: ObjectName | undefined
  readonly from?: Place | undefined
  readonly to?: Place | undefined
  /** What is sent as X-OpenStack-Request-ID. */
  readonly requestId?: string | undefined
}

/** What is known of a call after it. `unknown`: it may have been carried out. */
export type Finding = {
  readonly outcome: 'success' | 'failure' | 'unknown'
  readonly reason?: { readonly type: 'HTTP' | 'couchestor.io'; readonly code: string } | undefined
  /** The request id in the answer. */
  readonly answeredId?: string | undefined
  /** Id of what the call has made. */
  readonly madeId?: string | undefined
}
