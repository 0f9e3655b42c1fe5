import { expect, it } from 'vitest'
import { moveMeanings, stayMeanings } from '../../tools/meanings.ts'
import { MOVE_REASONS, STAY_REASONS } from '../api/reasons.ts'

it.each([
  ['reason to stay', STAY_REASONS, stayMeanings],
  ['reason of a move', MOVE_REASONS, moveMeanings],
])('each %s has one meaning, stated by what gives it', (_, names, stated) => {
  const meanings: Readonly<Record<string, string>> = stated()

  expect(Object.keys(meanings)).toEqual([...names])
  for (const meaning of Object.values(meanings)) expect(meaning).toMatch(/\.$/)
})
