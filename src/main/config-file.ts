import { isDeepStrictEqual } from 'node:util'
import { parseConfig } from '../api/config.ts'
import type { Config } from '../api/config.ts'
import { sleep } from '../clock.ts'
import type { Clock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'

const LOOK_MS = 10_000
/** Sections that clients are built from, once. */
const AT_START = ['prometheus', 'gnocchi'] as const

/** config.yaml as it is now: a mounted ConfigMap changes under us. A file with mistakes is reported once, the last good one stays. */
export function watchConfig(parts: {
  path: string | undefined
  first: Config
  readFile: (path: string) => Promise<string>
  clock: Clock
  log: Log
  signal: AbortSignal
}): () => Config {
  let current = parts.first
  const { path } = parts
  if (path !== undefined) void follow({ ...parts, path }, (config) => (current = config))
  return () => current
}

type Follow = {
  path: string
  first: Config
  readFile: (path: string) => Promise<string>
  clock: Clock
  log: Log
  signal: AbortSignal
}

async function follow(
  { path, first, readFile, clock, log, signal }: Follow,
  use: (config: Config) => void,
): Promise<void> {
  let last = await readFile(path).catch(() => '')
  while (!signal.aborted) {
    await sleep(clock, LOOK_MS, signal)
    try {
      const text = await readFile(path)
      if (text === last) continue
      last = text
      const config = parseConfig(text, path)
      use(config)
      log.info({ path }, 'config.yaml was read again')
      const late = AT_START.filter((key) => !isDeepStrictEqual(config[key], first[key]))
      if (late.length > 0)
        log.warn({ sections: late }, 'changes in these sections take effect after a restart')
    } catch (e) {
      log.error(
        { path, err: messageOf(e) },
        'config.yaml cannot be used; the last good one stays in force',
      )
    }
  }
}
