export type Command = {
  readonly about: string
  /** No line is wider than `width` columns. */
  help(width: number): string | Promise<string>
  /** Resolves to the exit code; throws `UserError` for a person's mistake. */
  run(args: readonly string[]): Promise<number>
}
