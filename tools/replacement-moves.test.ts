import { expect, it } from 'vitest'
import { replacementTransitions } from './replacement-moves.ts'

it('the page of steps has every way of a replacement, by every reason that its machine gives', () => {
  const arrows = new Set(
    replacementTransitions().map(({ from, to, reason }) => `${from} ${to} ${reason}`),
  )
  for (const way of [
    'Waiting Holding Holding',
    'Holding Copying Copying',
    'Copying Switching Switching',
    'Switching Soaking Soaking',
    'Soaking CleaningUp CleaningUp',
    'CleaningUp Succeeded Verified',
    'Soaking GivingBack RolledBack',
    'Copying GivingBack Disappeared',
    'Copying GivingBack HeldVolumeGone',
    'Copying GivingBack WorkloadFoughtBack',
    'CleaningUp Failed OutcomeUnknown',
    'Abandoning Failed ClaimDeleted',
  ])
    expect(arrows).toContain(way)
  expect([...arrows].filter((a) => /^(Succeeded|Failed) /.test(a))).toEqual([])
  expect(arrows).not.toContain('Soaking GivingBack ClaimNeeded')
})
