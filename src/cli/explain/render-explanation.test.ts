import { expect, it } from 'vitest'
import type { Explanation } from '../../insight/explain/explanation.ts'
import { renderExplanation } from './render-explanation.ts'

const LONG = 'a move of this volume would cost more than it could save within the horizon of days'
const explanation: Explanation = {
  namespace: 'shop',
  claim: 'data',
  policy: 'tiered',
  volumeId: '11111111-2222-4333-8444-555555555555',
  tier: 'hot',
  wants: 'cold',
  reason: 'CoolingDown',
  sentence: `It stays: ${LONG}; ${LONG}.`,
  usage: null,
  history: Array.from({ length: 24 }, (_, i) => ({
    endSeconds: 1_768_900_000 + i * 1800,
    iops: i,
  })),
  levels: [],
  costs: [],
  guards: [{ guard: 'cooling down', answer: 'hold', message: LONG, reason: 'CoolingDown' }],
  wouldChange: [LONG],
  openMove: null,
  lastMoves: [],
  notes: [LONG],
} as unknown as Explanation

it.each([80, 60, 132])(
  'no line is wider than a screen of %i columns, and no word is lost',
  (columns) => {
    const page = renderExplanation(explanation, columns)
    expect(page.split('\n').filter((line) => line.length > columns)).toEqual([])
    const words = page.replaceAll(/\s+/g, ' ')
    expect(words.split('within the horizon').length).toBe(6)
  },
)

it('why there are no numbers is part of the sentence', () => {
  const usage = {
    source: 'prometheus/agent',
    windowEnd: '2026-01-20T10:00:00.000Z',
    windowSeconds: 1800,
    operationsPerSecond: null,
    bytesPerSecond: null,
    coveragePercent: null,
    why: 'it has no numbers of this volume',
  }
  expect(renderExplanation({ ...explanation, usage })).toContain(
    'up to 2026-01-20 10:00 UTC: no numbers (it has no numbers of this volume)\n',
  )
})

it('what is piped keeps each sentence on its line', () => {
  const lines = renderExplanation(explanation).split('\n')
  expect(lines[0]).toBe(explanation.sentence)
  expect(lines.filter((line) => line.endsWith(`CoolingDown: ${LONG}`))).toHaveLength(1)
})
