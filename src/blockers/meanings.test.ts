import { expect, it } from 'vitest'
import { stayMeanings } from '../../test/tools/stay-meanings.ts'
import { STAY_REASONS } from '../api/reasons.ts'

it('each reason to stay has one meaning, stated by the check that gives it', () => {
  const meanings = stayMeanings()

  expect(Object.keys(meanings)).toEqual([...STAY_REASONS])
  for (const meaning of Object.values(meanings)) expect(meaning).toMatch(/\.$/)
})
