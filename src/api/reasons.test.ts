import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { EVENT_REASONS } from './event-reasons.ts'
import { MOVE_REASONS, STAY_REASONS } from './reasons.ts'
import { POLICY_CONDITIONS } from './conditions.ts'

/** Lists of names that report nothing: what is only named there has no producer. */
const LISTS = ['reasons.ts', 'candidate.ts', 'guards.ts', 'migration-status.ts', 'places.ts']

const CODE = ['api', 'blockers', 'cli/approve', 'controller', 'migration', 'policy']
  .flatMap((room) =>
    readdirSync(join('src', room), { recursive: true, encoding: 'utf8' }).map((name) =>
      join('src', room, name),
    ),
  )
  .filter((path) => path.endsWith('.ts') && !/\.(test|fixture)\.ts$/.test(path))
  .map((path) => {
    const text = readFileSync(path, 'utf8')
    return LISTS.some((list) => path.endsWith(`/${list}`))
      ? text.replaceAll(/^\s*(?:'\w+',|\| '\w+')$/gm, '')
      : text
  })
  .join('\n')

const reasons: readonly string[] = [
  ...STAY_REASONS,
  ...MOVE_REASONS,
  ...Object.keys(EVENT_REASONS),
  ...Object.values(POLICY_CONDITIONS).flatMap(({ reasons: names }) => Object.keys(names)),
]

it.each(reasons)('%s is reported somewhere', (name) => {
  // `Resumed` and `MigrationApproved` are chosen by a word beside them
  expect(new RegExp(`'${name}'`).test(CODE)).toBe(true)
})
