import { spawn } from 'node:child_process'

export type Ran = { readonly code: number | null; readonly out: string; readonly err: string }

type Options = {
  readonly env?: Readonly<Record<string, string>>
  /** Close its standard output after so many bytes, as `head` does. */
  readonly readOnly?: number
}

/** Runs `couchestor` as a process of its own, its output piped. It sees no kubeconfig, cluster or cloud but those of `env`. */
export function couchestor(args: readonly string[], { env, readOnly }: Options = {}): Promise<Ran> {
  const { PATH = '' } = process.env
  const child = spawn(process.execPath, ['src/main.ts', ...args], {
    env: { PATH, HOME: '/nonexistent', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
    if (readOnly !== undefined && out.length >= readOnly) child.stdout.destroy()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, out, err }))
  })
}
