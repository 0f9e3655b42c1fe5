/** Where a command writes: results to `out`, progress and warnings to `note`. */
export type Terminal = {
  out(text: string): void
  note(text: string): void
  /** One line that is written over and over while something takes long; nothing when the output is not a terminal. */
  progress(text: string): void
  /** Width of the terminal; undefined where the output is piped. */
  readonly columns?: number | undefined
}
