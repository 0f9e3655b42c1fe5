import type { FlagSpec, FlagSpecs } from './flags.ts'

const NARROWEST = 40
const HELP_AT = 32

/** Help text of one command, no line of which is wider than `width`. */
export function helpOf(command: string, about: string, specs: FlagSpecs, width: number): string {
  const columns = Math.max(width, NARROWEST)
  const lines = Object.entries(specs).flatMap(([name, spec]) => flagLines(name, spec, columns))
  return [
    `Usage: couchestor ${command} [flags]`,
    '',
    ...wrapped(about, columns),
    '',
    'Flags:',
    ...lines,
    '',
  ].join('\n')
}

/** The commands under `title`, each with what it is for. */
export function commandList(
  commands: readonly (readonly [name: string, about: string])[],
  width: number,
): string[] {
  const at = 2 + Math.max(...commands.map(([name]) => name.length)) + 4
  return commands.flatMap(([name, about]) => besides(`  ${name}`, about, at, width))
}

function flagLines(name: string, spec: FlagSpec, columns: number): string[] {
  const short = spec.short === undefined ? '    ' : `-${spec.short}, `
  const value = spec.value === undefined ? '' : ` ${spec.value}`
  const defaults = spec.default === undefined ? '' : ` (default ${spec.default})`
  return besides(`  ${short}--${name}${value}`, `${spec.help}${defaults}`, HELP_AT, columns)
}

/** `left`, and `text` wrapped in a column of its own, which begins on the next line where `left` is too long. */
function besides(left: string, text: string, at: number, columns: number): string[] {
  const lines = wrapped(text, columns - at)
  const fits = left.length <= at - 2
  const [first = '', ...rest] = fits ? lines : ['', ...lines]
  return [
    `${left.padEnd(fits ? at : 0)}${first}`.trimEnd(),
    ...rest.map((line) => `${' '.repeat(at)}${line}`),
  ]
}

const SHORTEST = 10

/** Words in lines of at most `width`, which is never less than ten; a word longer than that is cut. */
export function wrapped(text: string, most: number): string[] {
  const width = Math.max(SHORTEST, Math.floor(most))
  const lines: string[] = []
  let line = ''
  const words = text.split(' ').flatMap((word) => piecesOf(word, width))
  for (const word of words) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}

function piecesOf(word: string, width: number): string[] {
  const pieces: string[] = []
  for (let at = 0; at < word.length; at += width) pieces.push(word.slice(at, at + width))
  return pieces
}
