import { spawn } from 'node:child_process'

export type Ran = { readonly code: number; readonly output: string; readonly seconds: number }

export type ShellOptions = {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** What stands for the reader's own values, such as `<credential-id>`, and the lab's; each must occur in no other sense. */
  readonly instead: Readonly<Record<string, string>>
}

/** Runs the text of a block as a reader's shell would, stopping at the first command that fails. */
export function runBlock(text: string, { env, cwd, instead }: ShellOptions): Promise<Ran> {
  const script = Object.entries(instead).reduce((t, [from, to]) => t.replaceAll(from, to), text)
  const begin = performance.now()
  return new Promise((resolve, reject) => {
    const shell = spawn('bash', ['-euo', 'pipefail', '-c', script], {
      env,
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    const add = (chunk: Buffer): void => void (output += chunk.toString())
    shell.stdout.on('data', add)
    shell.stderr.on('data', add)
    shell.once('error', reject)
    shell.once('close', (code) =>
      resolve({ code: code ?? -1, output, seconds: (performance.now() - begin) / 1000 }),
    )
  })
}
