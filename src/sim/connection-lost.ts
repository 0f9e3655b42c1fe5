/**
 * Thrown by a `SimHandler`, or by the stream it answered with: the client sees its connection break instead of a response.
 * `serve` destroys the socket, `inProcess` throws `ConnectionError`.
 */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
  /** `refused`: provably never reached the server. */
  readonly failure: 'reset' | 'refused'
  constructor(failure: 'reset' | 'refused' = 'reset') {
    super(`connection ${failure} by the simulator`)
    this.failure = failure
  }
}
