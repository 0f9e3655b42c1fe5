import { describe, expect, it } from 'vitest'
import { COMMANDS } from '../../src/main/commands.ts'
import { couchestor } from './program.ts'

describe.each([80, 200])('at %i columns', (columns) => {
  it('every command prints its help into a pipe', async () => {
    for (const name of ['plan', 'pause', 'agent']) {
      const { code, out, err } = await couchestor([name, '--help'], {
        env: { COLUMNS: String(columns) },
      })
      expect({ code, err }).toEqual({ code: 0, err: '' })
      expect(out).toBe(await COMMANDS[name]?.help(columns))
    }
  })

  it.each(Object.entries(COMMANDS))(
    'the help of %s fits, and no flag runs into its text',
    async (name, command) => {
      const lines = (await command.help(columns)).split('\n')
      expect(lines[0]).toContain(`Usage: couchestor ${name}`)
      expect(lines.filter((line) => line.length > columns)).toEqual([])
      // a flag with its value, then at least two spaces or the end
      const flags = lines.filter((line) => /^ {2,6}-/.test(line))
      for (const line of flags)
        expect(line).toMatch(/^ {2}(-\w, | {4})--[a-z-]+( [A-Za-z|]+)?( {2,}\S.*)?$/)
      expect(flags.length).toBeGreaterThan(0)
    },
  )
})

it('"help plan" is "plan --help"', async () => {
  const [one, other] = await Promise.all([
    couchestor(['help', 'plan']),
    couchestor(['plan', '--help']),
  ])
  expect(one).toEqual(other)
})

it('help for a command that is not there names the nearest one', async () => {
  const { code, err } = await couchestor(['help', 'explian'])
  expect(code).toBe(2)
  expect(err).toContain('unknown command: explian, did you mean explain?')
})

it('an error moves no cursor, whatever it quotes', async () => {
  const { code, err } = await couchestor(['rollback', 'shop/data/\u001b[2J'])
  expect(code).toBe(2)
  expect(err).toContain('shop/data/')
  expect(err).not.toContain('\u001b')
})

it.each(['-v'])('%s prints the version', async (flag) => {
  expect((await couchestor([flag])).out).toMatch(/^couchestor \d+\.\d+\.\d+ \(Node\.js \d/)
})

it.each([
  [['plan', '--outpt', 'json'], 'unknown flag: --outpt (did you mean --output?)'],
  [['plan', '--config', '-o', 'json'], '--config needs a value (FILE), not the flag -o;'],
  [
    ['explain', 'pvc/x', '-n', '--days', '3'],
    '--namespace needs a value (NAME), not the flag --da',
  ],
  [['plan', '--system-namespace='], '--system-namespace needs a value (NAME)'],
  [['plan', '--kubeconfig', ''], '--kubeconfig needs a value (FILE)'],
  [['approve', 'x', '-n', ' '], '--namespace needs a value (NAME)'],
  [['plan', '--prometheus', 'prometheus:9090'], '--prometheus is no URL: write one like http://'],
  [['backtest', '--prometheus', 'ftp://x'], '--prometheus is no URL'],
  [['plan', '-o', 'xml'], '--output: "xml" is not one of json, yaml, wide'],
  [['plan', '--by', 'node'], '--by: "node" is not one of namespace'],
  [['explain', 'pod/x'], '"pod/x" is not a claim: write pvc/NAME'],
  [['explain', 'pvc/x', '--days', '99'], '--days: "99" is not a whole number from 1 to 30'],
  [['pause', 'gold', '--direction', 'sideways'], '"sideways" is not one of promotion, demotion'],
  [['pause', 'gold', '--direction', 'demotion'], '--direction is for claims'],
  [['pause', 'sts/db'], '"sts/db" is not a claim'],
  [['approve', '--all'], 'approve needs a VolumeMigration, or --policy NAME --all'],
  [['approve', 'x', '--all', '--policy', 'p'], 'approve needs a VolumeMigration'],
  [['doctor', '-o', 'yaml'], '--output: "yaml" is not one of text, json'],
  [['doctor', '--fail-on', 'warnings'], 'did you mean warning?'],
  [['backtest', '--rule', 'nosuch'], 'there is no rule "nosuch"; see --rule list'],
  [['backtest', '--rule', 'thresold'], '(did you mean threshold?); see --rule list'],
  [['backtest', '--preset', 'agents'], 'did you mean agent?'],
  [['demo', '--speed', '11'], '--speed: "11" is not a whole number from 1 to 10'],
])('%j is refused before any cluster is looked for', async ([name = '', ...args], message) => {
  const refused = await COMMANDS[name]?.run(args).catch((e: unknown) => e)
  expect(refused).toMatchObject({ name: 'UserError', code: 'FlagsInvalid' })
  expect((refused as Error).message).toContain(message)
  expect((refused as Error).message).not.toContain('\n')
})

it('a mistake is one line on standard error, and exit code 2', async () => {
  const { code, out, err } = await couchestor(['plan', '--outpt', 'json'])
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err.trim().split('\n')).toHaveLength(1)
})

it.each([
  [['--help'], 10],
  [['backtest', '--rule', 'list'], 10],
  [['demo', '--once', '--speed', '10'], 1],
])('%j ends quietly when its reader has read enough', async (args, readOnly) => {
  expect(await couchestor(args, { readOnly })).toMatchObject({ code: 0, err: '' })
})
