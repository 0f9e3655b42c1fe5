import { command } from './command.ts'
import { theLab } from './env.ts'

/** Runs kubectl as the lab's administrator and gives its output. `input` goes to `-f -`. Throws on a non-zero exit. */
export function kubectl(
  args: readonly string[],
  options: { input?: string; timeoutMs?: number } = {},
): Promise<string> {
  return command('kubectl', args, { ...options, env: theLab().env })
}

/** `kubectl ... -o json`, parsed. The caller names the shape it reads. */
export async function kubectlJson<T>(args: readonly string[]): Promise<T> {
  return JSON.parse(await kubectl([...args, '-o', 'json'])) as T
}

/** Applies manifests given as text or as an object. */
export function apply(manifest: string | object): Promise<string> {
  const input = typeof manifest === 'string' ? manifest : JSON.stringify(manifest)
  return kubectl(['apply', '-f', '-'], { input })
}
