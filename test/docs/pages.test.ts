import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../src/api/config.ts'
import { COMMANDS } from '../../src/main/commands.ts'
import { commandsOf } from './markdown.ts'

const PAGES = [
  ...readdirSync('.').filter((name) => name.endsWith('.md')),
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !name.startsWith('decisions'))
    .map((name) => join('docs', name)),
]

const lines = PAGES.flatMap((page) =>
  commandsOf(page).map((line): [string, string] => [page, line]),
)
const own = lines
  .map(([page, line]): [string, string] => [
    page,
    line.replace(/^kubectl couchestor /, 'couchestor ').replace(/ [|>&] .*$/, ''),
  ])
  .filter(([, line]) => /^couchestor [^-]/.test(line))
/** `kubectl apply -f a -f b/`: what stands here, not what the reader makes or fetches. */
const files = lines.flatMap(([page, line]) =>
  [...line.matchAll(/(?:-f|--filename)[ =]((?:deploy|charts|crds)\/\S+)/g)].map(
    ([, file = '']): [string, string] => [page, file],
  ),
)
const links = PAGES.flatMap((page) =>
  [...readFileSync(page, 'utf8').matchAll(/\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)/g)].map(
    ([, to = '']): [string, string] => [page, to],
  ),
)

describe('the documentation', () => {
  it.each(own)('%s: "%s" is a command with flags that exist', async (_, line) => {
    const [, name = '', ...words] = line.split(/\s+/)
    const command = COMMANDS[name]
    expect(command).toBeDefined()
    const help = await command!.help(1000)
    const flags = words.filter((w) => /^--?[a-z]/.test(w)).map((w) => w.split('=')[0]!)
    for (const flag of flags.filter((f) => f !== '--help' && f !== '-h'))
      expect(help).toContain(flag.length === 2 ? `${flag}, --` : flag)
  })

  it.each(files)('%s: %s is there', (_, file) => expect(existsSync(file)).toBe(true))

  it.each(links)('%s links to %s, which is there', (page, to) =>
    expect(existsSync(join(dirname(page), decodeURI(to)))).toBe(true),
  )

  it.each(
    Object.keys(parseConfig('', 'config.yaml').tasks).flatMap((task) =>
      ['docs/tasks.md', 'docs/runbooks/task-failing.md'].map((page) => [page, task]),
    ),
  )('%s has a row for the task %s', (page = '', task = '') =>
    expect(readFileSync(page, 'utf8')).toMatch(new RegExp(`^\\| \`${task}\` +\\|`, 'm')),
  )

  it('is checked, and not just skipped', () => {
    expect(own.length).toBeGreaterThan(40)
    expect(files.length).toBeGreaterThan(5)
    expect(links.length).toBeGreaterThan(50)
  })
})
