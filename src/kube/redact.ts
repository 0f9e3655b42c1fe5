/** `text` without `secret` and without anything that looks like a credential, for messages that others wrote. */
export function redact(text: string, secret?: string): string {
  const known = secret ? text.replaceAll(secret, '[hidden]') : text
  return known
    .replace(/\b(Bearer|Basic)\s+[\w.~+/=-]+/gi, '$1 [hidden]')
    .replace(/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, '[hidden]')
}
