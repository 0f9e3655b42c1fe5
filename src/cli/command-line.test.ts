import { describe, expect, it } from 'vitest'
import { oneOf, readCommandLine } from './command-line.ts'

const SPECS = {
  namespace: { value: 'NAME', help: '', default: 'default' },
  output: { value: 'json|yaml', help: '' },
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
    [[], [], { namespace: 'default', output: undefined }],
  ])('%j', (args, words, flags) => {
    const line = read(...args)
    expect(line.words).toEqual(words)
    expect(line.flags).toMatchObject(flags)
  })

  it.each([
    [['a', 'b'], 'explain wants pvc/NAME, not "a b"'],
    [['-x'], '-x is no flag'],
    [['--namespce', 'shop'], 'did you mean --namespace?'],
    [['-n'], '--namespace needs a value (NAME)'],
  ])('%j is told what is wrong', (args, message) => {
    expect(() => read(...args)).toThrow(message)
  })

  it('takes one of the given values only', () => {
    expect(oneOf({ output: 'json' }, 'output', ['json', 'yaml'])).toBe('json')
    expect(oneOf({}, 'output', ['json'])).toBe(undefined)
    expect(() => oneOf({ output: 'xml' }, 'output', ['json', 'yaml'])).toThrow(
      '--output: "xml" is none of json, yaml',
    )
  })
})
