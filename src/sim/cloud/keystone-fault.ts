const MALFORMED =
  'The server could not comply with the request since it is either malformed or otherwise incorrect. The client is assumed to be in error.'

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
}

/** An answer with an error body in Keystone's shape. */
export class KeystoneFault extends Error {
  readonly status: number
  readonly body: { readonly error: Readonly<Record<string, unknown>> }
  constructor(status: number, message: string, extra: Readonly<Record<string, unknown>> = {}) {
    super(message)
    this.status = status
    this.body = { error: { code: status, ...extra, message, title: TITLES[status] } }
  }

  static unauthorized(message = 'The request you have made requires authentication.') {
    return new KeystoneFault(401, message)
  }
  static badRequest(what: string) {
    return new KeystoneFault(400, `${what} ${MALFORMED}`)
  }
  static forbidden(policy: string) {
    return new KeystoneFault(
      403,
      `You are not authorized to perform the requested action: ${policy}.`,
    )
  }
  static notFound(message: string) {
    return new KeystoneFault(404, message)
  }
}
