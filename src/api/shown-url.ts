/** A URL as it may be shown: without a query, in which some write tokens. */
export function shownUrl(url: string): string {
  return url.split(/[?#]/)[0]!
}
