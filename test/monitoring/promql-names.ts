/** A series that an expression asks for. */
export type Selector = { readonly metric: string; readonly matched: readonly string[] }

/** What names an expression contains. */
export type Names = {
  readonly selectors: readonly Selector[]
  /** Labels in by, on, group_left and their opposites. */
  readonly grouped: readonly string[]
  /** Labels that label_replace makes. */
  readonly made: readonly string[]
  /** What stands between square brackets. */
  readonly windows: readonly string[]
}

const WORDS = new Set('offset bool and or unless inf nan start end'.split(' '))
const GROUPINGS = new Set('by without on ignoring group_left group_right'.split(' '))
const TOKEN =
  /"(?:[^"\\]|\\.)*"|\[[^\]]*\]|[a-zA-Z_:][\w:]*|\$\{?\w+\}?|\d[\w.]*|=~|!~|!=|[{}(),=]|\S/g

/**
 * Reads PromQL as far as names go; no full grammar, since the lab's Prometheus judges that. Braces may stand only after a
 * metric's name.
 */
export function namesIn(expr: string): Names {
  const tokens: readonly string[] = expr.match(TOKEN) ?? []
  const selectors: Selector[] = []
  const grouped: string[] = []
  const made: string[] = []
  const windows: string[] = []
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!
    if (token.startsWith('[')) windows.push(token.slice(1, -1))
    if (!/^[a-zA-Z_:]/.test(token) || WORDS.has(token)) continue
    if (GROUPINGS.has(token)) {
      if (tokens[i + 1] !== '(') continue
      const end = tokens.indexOf(')', i)
      grouped.push(...tokens.slice(i + 2, end).filter((t) => t !== ','))
      i = end
      continue
    }
    // a function, or an aggregation whose labels stand before its argument
    if (tokens[i + 1] === '(' || GROUPINGS.has(tokens[i + 1] ?? '')) {
      if (token === 'label_replace') made.push(madeBy(tokens, i + 1))
      continue
    }
    const braces = tokens[i + 1] === '{'
    const end = braces ? tokens.indexOf('}', i) : i
    const inside = tokens.slice(i + 2, end)
    const matched = inside.filter((_, at) => /^(=~|!~|!=|=)$/.test(inside[at + 1] ?? ''))
    selectors.push({ metric: token, matched })
    i = end
  }
  return { selectors, grouped, made, windows }
}

/** The second argument of the call whose parenthesis stands at `open`, without its quotes. */
function madeBy(tokens: readonly string[], open: number): string {
  let depth = 0
  for (let i = open; i < tokens.length; i++) {
    const token = tokens[i]!
    if (token === '(' || token === '{') depth++
    if (token === ')' || token === '}') depth--
    if (token === ',' && depth === 1 && tokens[i + 1]?.startsWith('"'))
      return tokens[i + 1]!.slice(1, -1)
  }
  throw new Error('label_replace without a label')
}
