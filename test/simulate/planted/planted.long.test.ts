import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { PLANTED_FAULTS } from './faults.ts'

const HUNT = join(import.meta.dirname, 'hunt.ts')
const run = promisify(execFile)

it.concurrent.each(PLANTED_FAULTS)(
  'the simulation finds "$name" within 200 seeds',
  async ({ name }) => {
    const { stdout } = await run(process.execPath, [HUNT, '--fault', name, '--seeds', '200'])
    process.stdout.write(`${name} -> ${stdout.trim() || 'not found'}\n`)
    expect(stdout).not.toBe('')
  },
)
