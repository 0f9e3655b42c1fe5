import { CONTROLLER_FLAGS, runController } from './controller-process.ts'
import { helpOf } from '../cli/flags.ts'

export type Command = {
  readonly about: string
  help(): string
  /** Resolves to the exit code; throws `UserError` for a person's mistake. */
  run(args: readonly string[]): Promise<number>
}

const CONTROLLER_ABOUT = 'Keeps every managed volume on the tier that is worth its money.'

/** Subcommands by name, in the order in which help lists them. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  controller: {
    about: CONTROLLER_ABOUT,
    help: () => helpOf('controller', CONTROLLER_ABOUT, CONTROLLER_FLAGS),
    run: runController,
  },
}
