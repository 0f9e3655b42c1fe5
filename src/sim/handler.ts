/** A simulator is a function from request to response; `serve` gives it a socket, `inProcess` makes it an HttpClient. */
export type SimRequest = {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal
}

export type SimResponse = {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** A stream for watches. */
  readonly body: string | AsyncIterable<string>
}

export type SimHandler = (request: SimRequest) => Promise<SimResponse>
