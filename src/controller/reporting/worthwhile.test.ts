import { expect, it } from 'vitest'
import type { Mode } from '../../api/storage-policy.ts'
import type { Week } from '../../policy/shadow.ts'
import { worthwhile } from './worthwhile.ts'

const week = (policy: number, allHot: number, stay: number, days = 7): Week => ({
  policy,
  allHot,
  stay,
  days,
})

it.each<[string, Mode, Week | undefined, string, string]>([
  ['cheaper than both', 'Auto', week(5, 10, 9), 'True', 'Cheaper'],
  ['as expensive as staying, because nothing was moved', 'Auto', week(9, 10, 9), 'True', 'Cheaper'],
  ['more expensive than staying', 'Auto', week(9.2, 10, 9), 'False', 'DearerThanStaying'],
  ['more expensive than all hot', 'Approve', week(9.2, 8, 9), 'False', 'DearerThanAllHot'],
  ['six days', 'Auto', week(99, 8, 9, 6), 'Unknown', 'TooEarly'],
  ['no day at all', 'Auto', undefined, 'Unknown', 'TooEarly'],
  ['an observer', 'Observe', week(99, 8, 9), 'Unknown', 'Observing'],
])('%s', (_, mode, given, status, reason) => {
  expect(worthwhile(mode, given)).toMatchObject({ status, reason })
})
