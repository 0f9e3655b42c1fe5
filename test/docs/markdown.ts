import { readFileSync } from 'node:fs'

/** One fenced block of a page: its language, and the text between the fences. */
export type Block = { readonly page: string; readonly language: string; readonly text: string }

/** The fenced blocks of a page, in order. */
export function blocksOf(page: string): Block[] {
  const text = readFileSync(page, 'utf8')
  return [...text.matchAll(/^ *```(\w*)\n([\s\S]*?)^ *```$/gm)].map(
    ([, language = '', body = '']) => ({
      page,
      language,
      text: body,
    }),
  )
}

/** The indented blocks of one section of a page, in order: commands, without their indentation. */
export function indentedBlocksOf(page: string, heading: string): Block[] {
  const [, section = ''] = readFileSync(page, 'utf8').split(`\n## ${heading}\n`)
  const body = section.split(/^## /m)[0] ?? ''
  return [...body.matchAll(/(?:^ {4}.*\n)+/gm)].map(([text]) => ({
    page,
    language: 'sh',
    text: text.replaceAll(/^ {4}/gm, ''),
  }))
}

const SHELL = new Set(['', 'sh', 'bash', 'console'])

/**
 * What a page asks its reader to type: lines of its shell blocks and of blocks that are indented, without the prompt, with
 * continued lines joined and remarks at the end cut off. Output that is shown among them comes along.
 */
export function commandsOf(page: string): string[] {
  const indented = readFileSync(page, 'utf8')
    .replaceAll(/^ *```[\s\S]*?^ *```$/gm, '')
    .split('\n')
    .filter((line) => line.startsWith('    '))
  const fenced = blocksOf(page).filter(({ language }) => SHELL.has(language))
  return [...fenced.map(({ text }) => text), indented.join('\n')]
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .map((line) =>
      line
        .trim()
        .replace(/^\$ /, '')
        .replace(/\s+#\s.*$/, ''),
    )
    .filter((line) => line !== '' && !line.startsWith('#'))
}
