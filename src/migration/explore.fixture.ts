/** What may happen next in a state: its name, and the state after it. */
export type Event<State> = readonly [name: string, after: State]

export type Exploration<State> = {
  readonly states: number
  /** The shortest way to the first state that breaks a rule, and which rule. */
  readonly broken: { readonly rule: string; readonly way: readonly string[] } | undefined
  /** The shortest way to a state from which no end can be reached. */
  readonly deadEnd: { readonly state: State; readonly way: readonly string[] } | undefined
}

type Node<State> = {
  readonly state: State
  readonly from: Node<State> | undefined
  readonly event: string
  readonly before: Node<State>[]
  leadsToEnd: boolean
}

/** Far more than there are: what has more has no end. */
const MOST_STATES = 500_000

/**
 * Breadth-first search over every state that can be reached. `rule` names what is wrong with a state. States are reported
 * apart by their JSON.
 */
export function explore<State>(
  start: State,
  events: (state: State) => Iterable<Event<State>>,
  rule: (state: State) => string | undefined,
  isEnd: (state: State) => boolean,
): Exploration<State> {
  const first: Node<State> = node(start, undefined, '')
  const known = new Map([[JSON.stringify(start), first]])
  const queue = [first]
  for (const at of queue) {
    const broken = known.size > MOST_STATES ? 'there is no end of states' : rule(at.state)
    if (broken !== undefined)
      return { states: known.size, broken: { rule: broken, way: wayTo(at) }, deadEnd: undefined }
    for (const [event, after] of events(at.state)) {
      const key = JSON.stringify(after)
      const seen = known.get(key)
      const next = seen ?? node(after, at, event)
      next.before.push(at)
      if (seen !== undefined) continue
      known.set(key, next)
      queue.push(next)
    }
  }
  markBackwards(queue.filter((n) => isEnd(n.state)))
  const dead = queue.find((n) => !n.leadsToEnd)
  return {
    states: known.size,
    broken: undefined,
    deadEnd: dead && { state: dead.state, way: wayTo(dead) },
  }
}

function node<State>(state: State, from: Node<State> | undefined, event: string): Node<State> {
  return { state, from, event, before: [], leadsToEnd: false }
}

function markBackwards<State>(ends: Node<State>[]): void {
  for (const end of ends) end.leadsToEnd = true
  const queue = [...ends]
  for (const at of queue)
    for (const before of at.before)
      if (!before.leadsToEnd) {
        before.leadsToEnd = true
        queue.push(before)
      }
}

function wayTo<State>(to: Node<State>): string[] {
  const way: string[] = []
  for (let at: Node<State> | undefined = to; at?.from !== undefined; at = at.from)
    way.unshift(at.event)
  return way
}
