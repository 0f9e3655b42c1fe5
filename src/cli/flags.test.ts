import { describe, expect, it } from 'vitest'
import { oneOf, readCommandLine } from './flags.ts'

const SPECS = {
  namespace: { value: 'NAME', short: 'n', help: '', default: 'default' },
  output: { value: 'json|yaml', choices: ['json', 'yaml'], short: 'o', help: '' },
  days: { value: 'N', whole: [1, 30] as const, help: '' },
  all: { help: '', default: 'false' },
}
const WORDS = { least: 0, most: 1, usage: 'pvc/NAME' }
const read = (...args: string[]) => readCommandLine('explain', args, SPECS, WORDS)

describe('a command line', () => {
  it.each<[string[], string[], Record<string, string | undefined>]>([
    [['pvc/a', '-n', 'shop'], ['pvc/a'], { namespace: 'shop' }],
    [['-n=shop', 'pvc/a'], ['pvc/a'], { namespace: 'shop' }],
    [['-nshop', 'pvc/a', '-ojson'], ['pvc/a'], { namespace: 'shop', output: 'json' }],
    [['--namespace', 'shop', '--all', 'pvc/a'], ['pvc/a'], { namespace: 'shop', all: 'true' }],
    [['--namespace=shop'], [], { namespace: 'shop', all: 'false' }],
    [['--days', '3', '--', '-a'], ['-a'], { days: '3' }],
    [['-n', 'a', '-n', 'b'], [], { namespace: 'b' }],
    [[], [], { namespace: 'default', output: undefined }],
  ])('%j', (args, words, flags) => {
    const line = read(...args)
    expect(line.words).toEqual(words)
    expect(line.flags).toMatchObject(flags)
  })

  it.each([
    [['a', 'b'], 'explain needs pvc/NAME, not "a b"'],
    [['-x'], 'unknown flag: -x'],
    [['--namespce', 'shop'], 'unknown flag: --namespce (did you mean --namespace?); see'],
    [['--outpt', 'json'], 'unknown flag: --outpt (did you mean --output?); see'],
    [['a', 'b', '--outpt=json'], 'unknown flag: --outpt (did you mean --output?); see'],
    [['-n'], '--namespace needs a value (NAME)'],
    [['--output'], '--output needs a value (json, yaml)'],
    [['-o', 'xml'], '--output: "xml" is not one of json, yaml'],
    [['-oyml'], 'is not one of json, yaml; did you mean yaml?'],
    [['--days', '0'], '--days: "0" is not a whole number from 1 to 30'],
    [['--days=2.5'], 'is not a whole number'],
    [['--all=maybe'], '--all: "maybe" is neither true nor false'],
  ])('%j is refused with what is wrong', (args, message) => {
    expect(() => read(...args)).toThrow(message)
  })

  it('takes one of the given values only', () => {
    expect(oneOf({ output: 'json' }, 'output', ['json', 'yaml'])).toBe('json')
    expect(oneOf({}, 'output', ['json'])).toBe(undefined)
    expect(() => oneOf({ output: 'xml' }, 'output', ['json', 'yaml'])).toThrow(
      '--output: "xml" is not one of json, yaml',
    )
  })
})
