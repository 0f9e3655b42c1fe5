import { parseArgs } from 'node:util'
import { NOT_FOUND_YET, PLANTED_FAULTS } from './faults.ts'
import { plant } from './plant.ts'

// One planted fault, one process: plays seeds until an oracle objects, and prints which seed and which oracle.

const { values } = parseArgs({
  options: {
    fault: { type: 'string', default: '' },
    seeds: { type: 'string', default: '200' },
    hours: { type: 'string', default: '1.25' },
  },
})

const fault = [...PLANTED_FAULTS, ...NOT_FOUND_YET].find(({ name }) => name === values.fault)
if (fault === undefined) throw new Error(`no planted fault is called "${values.fault}"`)
plant(fault)
// loaded only now, with the fault in it
const { play, writeScript } = await import('../script.ts')

const all = Array.from({ length: Number(values.seeds) }, (_, i) => i + 1)
for (const seed of new Set([fault.seed ?? 1, ...all])) {
  // the calm is two thirds of a run
  const options = fault.showsInCalm ? {} : ({ calm: false } as const)
  const { replacing = false } = fault
  const script = writeScript(seed, Number(values.hours), { replacing })
  const { violations } = await play(script, options)
  const [violation] = violations
  if (violation === undefined) continue
  process.stdout.write(`${JSON.stringify({ seed, ...violation })}\n`)
  break
}
