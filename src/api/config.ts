import type * as z from 'zod'
import { messageOf, UserError } from '../errors.ts'
import { camelCased } from './camel-cased.ts'
import type { CamelCased } from './camel-cased.ts'
import { configMistakes } from './config-mistakes.ts'
import { configSchema } from './config-schema.ts'
import { readYamlDocument, refuseMistakes } from './yaml-document.ts'

/**
 * config.yaml with defaults filled in, as `configSchema` declares it: `query_timeout` is `queryTimeoutMs`, in ms. What is
 * undefined comes from elsewhere or is off.
 */
export type Config = CamelCased<z.output<typeof configSchema>>
/** A tier as config.yaml has it; tiers are in the order of the file. */
export type ConfigTier = Config['tiers'][string]

/**
 * The text of config.yaml, read whole. Throws one `UserError` that lists every wrong or unknown key with path, value
 * and fix. An empty file means all defaults.
 */
export function parseConfig(yamlText: string, fileName: string): Config {
  const raw = readYamlDocument(yamlText, fileName)
  refuseMistakes(fileName, configMistakes(raw))
  return camelCased(configSchema, configSchema.parse(raw))
}

/** Reads and parses the file; a missing or unreadable one is a `UserError` that says what to do. */
export async function loadConfig(
  path: string,
  readFile: (path: string) => Promise<string>,
): Promise<Config> {
  let text: string
  try {
    text = await readFile(path)
  } catch (e) {
    throw new UserError(
      'ConfigInvalid',
      `--config names ${path}, which cannot be read (${messageOf(e)})`,
      { fix: 'mount the ConfigMap couchestor-config there, or name another file', cause: e },
    )
  }
  return parseConfig(text, path)
}
