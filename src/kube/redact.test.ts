import { expect, it } from 'vitest'
import { redact } from './redact.ts'

it.each([
  [
    'header Authorization: Bearer abc.DEF-1/2=, denied',
    'header Authorization: Bearer [hidden], denied',
  ],
  ['Basic dXNlcjpwdw== refused', 'Basic [hidden] refused'],
  ['token eyJhbGciOi.eyJzdWIiOi.c2ln expired', 'token [hidden] expired'],
  ['persistentvolumes "pv-1" not found', 'persistentvolumes "pv-1" not found'],
])('hides the credential in "%s" and nothing else', (text, hidden) => {
  expect(redact(text)).toBe(hidden)
})
