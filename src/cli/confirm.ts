import { UserError } from '../errors.ts'

export type Asking = {
  /** Asks at the terminal; undefined = there is none, and nobody to ask. */
  readonly ask: ((question: string) => Promise<string>) | undefined
}

/** Whether the person wants it; `yes` = they have said so before. Throws `UserError` where nobody can be asked. */
export async function confirmed(question: string, yes: boolean, { ask }: Asking): Promise<boolean> {
  if (yes) return true
  if (ask === undefined)
    throw new UserError(
      'ConfirmationNeeded',
      'there is no terminal to ask at: nothing was changed',
      {
        fix: 'add --yes if you are certain',
      },
    )
  const answer = await ask(`${question} (yes/no) `)
  return /^y(es)?$/i.test(answer.trim())
}
