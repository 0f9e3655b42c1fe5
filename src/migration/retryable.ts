/** Answers of proxies and limiters by which a server is not there now. */
const LATER = new Set([429, 502, 503, 504])

/** True when an unclear answer is one by which the same call is worth repeating for as long as it takes. */
export function isRetryable(answer: { readonly httpStatus?: number }): boolean {
  return LATER.has(answer.httpStatus ?? 0)
}
