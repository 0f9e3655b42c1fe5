import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { load } from 'js-yaml'
import { describe, expect, it } from 'vitest'
import { DURATION, tryParseDuration } from '../../src/api/duration.ts'
import { createSchedule, CRON } from '../../src/api/schedule.ts'

const crd = textsIn(load(readFileSync('crds/couchestor.io_storagepolicies.yaml', 'utf8'))).join(
  '\n',
)
const CRON_RULE = /matches\('\(\?i\)(\^.*?\$)'\)/.exec(crd)?.[1]

/** Not to be seen in the text of an expression: needs the calendar, or two fields at once. */
const BEYOND_GRAMMAR = /impossible day|both restricted/

/** As the API server reads them, however YAML quotes them. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : []
}

function mistakeIn(expression: string): string {
  try {
    createSchedule(expression, 'UTC', 60_000)
    return ''
  } catch (e) {
    return String(e)
  }
}

function tellable(mistake: string): string {
  return BEYOND_GRAMMAR.test(mistake) ? '' : mistake
}

describe('what the CRD accepts and the controller reads', () => {
  it('is one grammar of durations', () => {
    const rules = [...crd.matchAll(/matches\('(\^\(\[0-9\].*?\$)'\)/g)].map((m) => m[1])
    expect(rules.length).toBeGreaterThan(6)
    expect(new Set(rules)).toEqual(new Set([DURATION.source]))
  })

  it('is every duration of that grammar', () => {
    fc.assert(
      fc.property(fc.stringMatching(DURATION), (text) => {
        expect(tryParseDuration(text)).toBeGreaterThanOrEqual(0)
      }),
    )
  })

  it('is one grammar of schedules', () => {
    expect(CRON_RULE?.replaceAll('/', '\\/')).toBe(CRON.source)
  })

  it('is every cron expression that is right in each of its fields', () => {
    fc.assert(
      fc.property(fc.stringMatching(new RegExp(CRON.source)), (expression) => {
        expect(tellable(mistakeIn(expression))).toBe('')
      }),
      { numRuns: 2000 },
    )
  })

  it.each(['0 2 * * *', '*/5 0-6 * * mon-fri', '0 22 1,15 * *', '30 4 * JAN,jul 0', '0 2 29 2 *'])(
    'is "%s"',
    (expression) => {
      expect(expression).toMatch(CRON)
      expect(mistakeIn(expression)).toBe('')
    },
  )
})
