/**
 * Authorization header for basic authentication. The password is read before every request, so that a
 * rotated Secret is used at once; a read that fails is the caller's error.
 */
export function basicAuthorization(
  username: string,
  readPassword: () => Promise<string>,
): () => Promise<string> {
  return async () => {
    const password = oneLine(await readPassword(), 'password')
    return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  }
}

/** Authorization header for a bearer token, such as a projected ServiceAccount token that is renewed in place. */
export function bearerAuthorization(readToken: () => Promise<string>): () => Promise<string> {
  return async () => `Bearer ${oneLine(await readToken(), 'bearer token')}`
}

function oneLine(text: string, what: string): string {
  const trimmed = text.trim()
  if (trimmed === '') throw new Error(`the ${what} is empty`)
  if (/[\r\n]/.test(trimmed)) throw new Error(`the ${what} has more than one line`)
  return trimmed
}
