export type Command = {
  readonly about: string
  help(): string | Promise<string>
  /** Resolves to the exit code; throws `UserError` for a person's mistake. */
  run(args: readonly string[]): Promise<number>
}
