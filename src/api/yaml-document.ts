import { CORE_SCHEMA, load, mergeTag, YAMLException } from 'js-yaml'
import { messageOf, UserError } from '../errors.ts'

/** As kubectl and helm read YAML. */
const WITH_MERGE_KEYS = CORE_SCHEMA.withTags(mergeTag)

/** One YAML document as data; a file without any wishes is `{}`. Throws `UserError` (ConfigInvalid) with the place of the mistake. */
export function readYamlDocument(text: string, fileName: string): unknown {
  if (isBlank(text)) return {}
  try {
    return load(text, { schema: WITH_MERGE_KEYS }) ?? {}
  } catch (e) {
    throw new UserError('ConfigInvalid', `${fileName} is not YAML: ${yamlMistake(e)}`)
  }
}

/** All mistakes of a file in one `UserError` (ConfigInvalid); nothing is thrown when there are none. */
export function refuseMistakes(fileName: string, mistakes: readonly string[]): void {
  if (mistakes.length === 0) return
  const count = mistakes.length === 1 ? '1 mistake' : `${mistakes.length} mistakes`
  const lines = [`${fileName} has ${count}:`, ...mistakes.map((m) => `- ${m}`)]
  throw new UserError('ConfigInvalid', lines.join('\n'))
}

/** Without the excerpt of the file that the library adds: it may show a secret. */
function yamlMistake(e: unknown): string {
  if (!(e instanceof YAMLException)) return messageOf(e)
  const { reason, mark } = e
  return mark ? `${reason} (line ${mark.line + 1}, column ${mark.column + 1})` : reason
}

/** No document at all, which js-yaml refuses; for us it is a file without wishes. */
function isBlank(text: string): boolean {
  return text.split('\n').every((line) => /^\s*(#.*|---\s*)?$/.test(line))
}
