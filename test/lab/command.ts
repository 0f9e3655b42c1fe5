import { spawn } from 'node:child_process'

export type CommandOptions = {
  /** Text or bytes for the command's standard input. */
  readonly input?: string | Uint8Array
  readonly env?: Readonly<Record<string, string>>
  /** Default 120,000. */
  readonly timeoutMs?: number
}

/**
 * Runs a program and gives its standard output as text.
 * Throws with the program, its exit code and the end of its standard error.
 */
export function command(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: { ...process.env, ...options.env },
      timeout: options.timeoutMs ?? 120_000,
    })
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(Buffer.concat(out).toString())
      const why = Buffer.concat(err).toString().trim().slice(-2000)
      reject(new Error(`${program} ${args.join(' ')}: exit ${code ?? signal}: ${why}`))
    })
    // a program that ends without reading its input is known by its exit code
    child.stdin.on('error', () => {})
    child.stdin.end(options.input ?? '')
  })
}
