import { createInterface } from 'node:readline/promises'

/** Asks at the terminal of the process; undefined where it has none, such as in a pipe or a job. */
export const systemAsk =
  process.stdin.isTTY && process.stderr.isTTY
    ? async (question: string): Promise<string> => {
        const lines = createInterface({ input: process.stdin, output: process.stderr })
        // the end of the input is no answer
        const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')))
        try {
          return await Promise.race([lines.question(question), ended])
        } finally {
          lines.close()
        }
      }
    : undefined
