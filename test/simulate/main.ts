import { parseArgs } from 'node:util'
import { objects, shrink } from './shrink.ts'
import { play, writeScript } from './script.ts'

const HELP = `Plays the whole operator on a simulated cloud and cluster, with random actions and faults.

  npm run simulate -- [--seeds N] [--seed FIRST] [--hours H] [--replacing] [--ignore ORACLE]... [--no-shrink]

  --seeds N     how many seeds to play, one after the other (default 20)
  --seed FIRST  the first of them (default 1)
  --hours H     simulated hours of trouble, before four of calm (default 6)
  --replacing   in a world in which volumes are replaced too
  --ignore NAME an oracle not to be asked, by its name; may be repeated
  --no-shrink   print a failing script as it is
`

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    hours: { type: 'string', default: '6' },
    ignore: { type: 'string', multiple: true, default: [] },
    replacing: { type: 'boolean', default: false },
    'no-shrink': { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
const ignored = new Set(values.ignore)
const say = (text: string): void => void process.stdout.write(`${text}\n`)

async function main(): Promise<void> {
  if (values.help) return say(HELP)
  const first = Number(values.seed)
  const hours = Number(values.hours)
  let failed = 0
  let simulatedMs = 0
  let retypes = 0
  for (let seed = first; seed < first + Number(values.seeds); seed++) {
    const script = writeScript(seed, hours, { replacing: values.replacing })
    const outcome = await play(script, { ignored })
    simulatedMs += outcome.simulatedMs
    retypes += outcome.retypes
    const [violation] = outcome.violations
    if (violation === undefined) {
      say(`seed ${seed}: ok, ${script.steps.length} steps, ${outcome.retypes} retypes`)
      continue
    }
    failed++
    say(`seed ${seed}: ${violation.oracle}: ${violation.what}`)
    const short = values['no-shrink'] ? script : await shrink(script, violation.oracle, { ignored })
    const again = await play(short, { ignored })
    if (!objects(again, violation.oracle)) say('  did not happen again')
    say(JSON.stringify(short))
    for (const note of again.notes.slice(-60)) say(`  ${note}`)
  }
  const days = (simulatedMs / 86_400_000).toFixed(1)
  say(`${values.seeds} seeds, ${days} simulated days, ${retypes} retypes, ${failed} seeds failed`)
  process.exitCode = failed > 0 ? 1 : 0
}

await main()
