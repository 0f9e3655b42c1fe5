/** Aborted by Ctrl-C; a second one ends the process at once. */
export function interrupted(): AbortSignal {
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  return stop.signal
}
