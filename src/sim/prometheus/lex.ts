import { ParseError } from './ast.ts'

export type Token = {
  readonly kind: 'name' | 'number' | 'duration' | 'string' | 'punct' | 'end'
  readonly text: string
  readonly at: number
}

// a duration before a number, or `30m` would be the number 30
const TOKENS =
  /\s+|#[^\n]*|((?:\d+(?:ms|[smhdwy]))+)(?![\w])|([a-zA-Z_:][\w:]*)|(\d+(?:\.\d+)?(?:e[+-]?\d+)?)|("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(==|!=|=~|!~|>=|<=|[=<>+\-*/(){}[\],])/y

/** Cuts a query into tokens; the last is `end`. Throws `ParseError`. */
export function lex(query: string): readonly Token[] {
  const tokens: Token[] = []
  let at = 0
  while (at < query.length) {
    TOKENS.lastIndex = at
    const found = TOKENS.exec(query)
    if (found === null)
      throw new ParseError(at, `unexpected character: ${JSON.stringify(query[at])}`)
    const [whole, duration, name, number, string] = found
    if (duration !== undefined) tokens.push({ kind: 'duration', text: duration, at })
    else if (name !== undefined) tokens.push({ kind: 'name', text: name, at })
    else if (number !== undefined) tokens.push({ kind: 'number', text: number, at })
    else if (string !== undefined) tokens.push({ kind: 'string', text: unquoted(string), at })
    else if (/[^\s#]/.test(whole[0]!)) tokens.push({ kind: 'punct', text: whole, at })
    at += whole.length
  }
  tokens.push({ kind: 'end', text: 'end of input', at })
  return tokens
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' }

function unquoted(text: string): string {
  return text.slice(1, -1).replaceAll(/\\(.)/g, (_, c: string) => ESCAPES[c] ?? c)
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_536_000_000,
}

/** `1h30m` in ms; undefined when it is no duration. */
export function durationMs(text: string): number | undefined {
  if (!/^(\d+(ms|[smhdwy]))+$/.test(text)) return undefined
  let total = 0
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|[smhdwy])/g))
    total += Number(count) * UNIT_MS[unit!]!
  return total
}
