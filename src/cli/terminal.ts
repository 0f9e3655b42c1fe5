/** Where a command writes: results to `out`, progress and warnings to `note`. */
export type Terminal = {
  out(text: string): void
  note(text: string): void
  /** One line that is written over and over while something takes long; nothing where no person looks. */
  progress(text: string): void
  /** Width of the screen that a person looks at; undefined where the output is piped. */
  readonly columns?: number | undefined
}
