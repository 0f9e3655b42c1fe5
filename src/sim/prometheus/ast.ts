export type MatchOp = '=' | '!=' | '=~' | '!~'
export type Matcher = { readonly label: string; readonly op: MatchOp; readonly value: string }

export type BinaryOp =
  '+' | '-' | '*' | '/' | '==' | '!=' | '>' | '<' | '>=' | '<=' | 'and' | 'or' | 'unless'

/** Which labels two sides of an operator are joined on, and which the one side lends to the many. */
export type Matching = {
  readonly on?: readonly string[]
  readonly groupLeft?: readonly string[]
}

export type RangeFunction = 'rate' | 'count_over_time' | 'last_over_time'
export type Aggregation = 'sum' | 'max' | 'min' | 'count'

export type Selector = {
  readonly kind: 'Selector'
  readonly name: string
  readonly matchers: readonly Matcher[]
  /** Present for a range selector. */
  readonly rangeMs?: number
}

/** The part of PromQL that our queries use. */
export type Expr =
  | { readonly kind: 'Number'; readonly value: number }
  | Selector
  | { readonly kind: 'Call'; readonly fn: RangeFunction; readonly arg: Selector }
  /** An expression evaluated at every multiple of the step in a range. */
  | {
      readonly kind: 'Subquery'
      readonly arg: Expr
      readonly rangeMs: number
      readonly stepMs: number
    }
  | {
      readonly kind: 'Aggregate'
      readonly op: Aggregation
      readonly by: readonly string[]
      readonly arg: Expr
    }
  | {
      readonly kind: 'Binary'
      readonly op: BinaryOp
      readonly left: Expr
      readonly right: Expr
      readonly matching: Matching
    }

/** What Prometheus answers with 400 `bad_data`. `at` is the offset in the query. */
export class ParseError extends Error {
  readonly at: number
  constructor(at: number, message: string) {
    super(message)
    this.at = at
  }
}

/** What Prometheus answers with 422 `execution`. */
export class ExecutionError extends Error {}
