import { afterEach, expect, it, vi } from 'vitest'
import { logLevel } from './process-flags.ts'

afterEach(() => vi.unstubAllEnvs())

it.each([
  ['', 'info'],
  ['debug', 'debug'],
])('COUCHESTOR_LOG_LEVEL "%s" is the level %s', (value, level) => {
  vi.stubEnv('COUCHESTOR_LOG_LEVEL', value)
  expect(logLevel({})).toBe(level)
  expect(logLevel({ 'log-level': 'warn' })).toBe('warn')
})

it('a wrong level is named by where it was given', () => {
  vi.stubEnv('COUCHESTOR_LOG_LEVEL', 'loud')
  expect(() => logLevel({})).toThrow('COUCHESTOR_LOG_LEVEL: "loud" is not one of')
  expect(() => logLevel({ 'log-level': 'low' })).toThrow('--log-level: "low" is not one of')
})
