import type {
  Aggregation,
  BinaryOp,
  Expr,
  Matcher,
  Matching,
  MatchOp,
  RangeFunction,
} from './ast.ts'
import { ParseError } from './ast.ts'
import { durationMs, lex } from './lex.ts'
import type { Token } from './lex.ts'

/** Loosest first. */
const LEVELS: readonly (readonly string[])[] = [
  ['or'],
  ['and', 'unless'],
  ['==', '!=', '>', '<', '>=', '<='],
  ['+', '-'],
  ['*', '/'],
]
const AGGREGATIONS: readonly string[] = ['sum', 'max', 'min', 'count']
const FUNCTIONS: readonly string[] = ['rate', 'count_over_time', 'last_over_time']
const MATCH_OPS: readonly string[] = ['=', '!=', '=~', '!~']

/** Parses a query. Throws `ParseError` for what is wrong and for what this simulator does not know. */
export function parseQuery(query: string): Expr {
  const parser = new Parser(lex(query))
  if (parser.is('end')) throw new ParseError(0, 'no expression found in input')
  const expr = parser.binary(0)
  parser.expect('end')
  return expr
}

class Parser {
  readonly #tokens: readonly Token[]
  #next = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  binary(level: number): Expr {
    const ops = LEVELS[level]
    if (ops === undefined) return this.primary()
    let left = this.binary(level + 1)
    while (ops.includes(this.#peek().text) && !this.is('string')) {
      const at = this.#peek().at
      const op = this.#take().text as BinaryOp
      const matching = this.#matching()
      const right = this.binary(level + 1)
      refuseRange(left, at)
      refuseRange(right, at)
      left = { kind: 'Binary', op, left, right, matching }
    }
    return left
  }

  primary(): Expr {
    const expr = this.#simple()
    if (!this.#at('[')) return expr
    const { at } = this.#take()
    refuseRange(expr, at)
    const rangeMs = durationMs(this.expect('duration').text)!
    // a name may begin with a colon, so that is what the lexer makes of it
    const step = durationMs(this.expect('name').text.slice(1))
    if (step === undefined) throw new ParseError(at, 'a subquery needs a resolution here')
    this.expect('punct', ']')
    return { kind: 'Subquery', arg: expr, rangeMs, stepMs: step }
  }

  #simple(): Expr {
    const token = this.#take()
    if (token.kind === 'number') return { kind: 'Number', value: Number(token.text) }
    if (token.text === '(' && token.kind === 'punct') {
      const inner = this.binary(0)
      this.expect('punct', ')')
      return inner
    }
    if (token.kind !== 'name') throw unexpected(token)
    if (AGGREGATIONS.includes(token.text) && (this.#at('by') || this.#at('(')))
      return this.#aggregate(token)
    if (this.#at('(')) return this.#call(token)
    return this.#selector(token.text)
  }

  #aggregate(token: Token): Expr {
    let by = this.#at('by') ? this.#labelsAfter('by') : undefined
    this.expect('punct', '(')
    const arg = this.binary(0)
    refuseRange(arg, token.at)
    this.expect('punct', ')')
    if (by === undefined && this.#at('by')) by = this.#labelsAfter('by')
    return { kind: 'Aggregate', op: token.text as Aggregation, by: by ?? [], arg }
  }

  #call(token: Token): Expr {
    if (!FUNCTIONS.includes(token.text))
      throw new ParseError(token.at, `unknown function with name ${JSON.stringify(token.text)}`)
    this.expect('punct', '(')
    const arg = this.binary(0)
    this.expect('punct', ')')
    if (arg.kind !== 'Selector' || arg.rangeMs === undefined)
      throw new ParseError(
        token.at,
        `expected type range vector in call to function ${JSON.stringify(token.text)}, got instant vector`,
      )
    return { kind: 'Call', fn: token.text as RangeFunction, arg }
  }

  #selector(name: string): Expr {
    const matchers = this.#at('{') ? this.#matchers() : []
    if (!this.#at('[')) return { kind: 'Selector', name, matchers }
    this.#take()
    const token = this.expect('duration')
    this.expect('punct', ']')
    return { kind: 'Selector', name, matchers, rangeMs: durationMs(token.text)! }
  }

  #matchers(): Matcher[] {
    this.expect('punct', '{')
    const matchers: Matcher[] = []
    while (!this.#at('}')) {
      const label = this.expect('name').text
      const op = this.#take()
      if (!MATCH_OPS.includes(op.text)) throw unexpected(op)
      matchers.push({ label, op: op.text as MatchOp, value: this.expect('string').text })
      if (!this.#at('}')) this.expect('punct', ',')
    }
    this.#take()
    return matchers
  }

  #matching(): Matching {
    const on = this.#at('on') ? this.#labelsAfter('on') : undefined
    if (!this.#at('group_left')) return on === undefined ? {} : { on }
    const groupLeft = this.#labelsAfter('group_left')
    return on === undefined ? { groupLeft } : { on, groupLeft }
  }

  #labelsAfter(word: string): string[] {
    this.expect('name', word)
    this.expect('punct', '(')
    const labels: string[] = []
    while (!this.#at(')')) {
      labels.push(this.expect('name').text)
      if (!this.#at(')')) this.expect('punct', ',')
    }
    this.#take()
    return labels
  }

  is(kind: Token['kind']): boolean {
    return this.#peek().kind === kind
  }

  expect(kind: Token['kind'], text?: string): Token {
    const token = this.#take()
    if (token.kind !== kind || (text !== undefined && token.text !== text)) throw unexpected(token)
    return token
  }

  #at(text: string): boolean {
    return this.#peek().text === text && !this.is('string')
  }

  #peek(): Token {
    return this.#tokens[this.#next]!
  }

  #take(): Token {
    const token = this.#peek()
    if (token.kind !== 'end') this.#next += 1
    return token
  }
}

function refuseRange(expr: Expr, at: number): void {
  if ((expr.kind === 'Selector' && expr.rangeMs !== undefined) || expr.kind === 'Subquery')
    throw new ParseError(at, 'binary expression must contain only scalar and instant vector types')
}

function unexpected(token: Token): ParseError {
  return new ParseError(
    token.at,
    `unexpected ${token.kind === 'end' ? 'end of input' : JSON.stringify(token.text)}`,
  )
}
