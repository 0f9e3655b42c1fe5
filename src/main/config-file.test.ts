import { expect, it } from 'vitest'
import { createVirtualClock } from '../../test/virtual-clock.ts'
import { parseConfig } from '../api/config.ts'
import { createLog } from '../log.ts'
import { watchConfig } from './config-file.ts'

const AT_START = 'prometheus: {endpoint: http://prometheus:9090}\n'

/** Follows a file whose text the test sets, and keeps what is said about it. */
function followed() {
  const file = { text: AT_START }
  const said: string[] = []
  const clock = createVirtualClock()
  const config = watchConfig({
    path: 'config.yaml',
    first: parseConfig(AT_START, 'config.yaml'),
    readFile: () => Promise.resolve(file.text),
    clock,
    log: createLog('info', { write: (line) => void said.push(line) }),
    signal: new AbortController().signal,
  })
  return {
    config,
    said,
    async becomes(text: string): Promise<void> {
      await clock.settle()
      file.text = text
      await clock.advance(10_000)
    },
  }
}

it('takes up a stop switch without a restart', async () => {
  const { config, said, becomes } = followed()
  await becomes(`${AT_START}migration: {paused: true}\n`)
  expect(config().migration.paused).toBe(true)
  expect(said.join()).not.toContain('restart')
})

it('says that a new address of the metrics waits for a restart', async () => {
  const { said, becomes } = followed()
  await becomes('prometheus: {endpoint: http://other:9090}\n')
  expect(said.join()).toContain(
    '"sections":["prometheus"],"msg":"changes in these sections take effect after a restart"',
  )
})

it('keeps the last good one when the new one has mistakes', async () => {
  const { config, said, becomes } = followed()
  await becomes('migration: {pausd: true}\n')
  expect(config().prometheus.endpoint).toBe('http://prometheus:9090')
  expect(said.join()).toContain('did you mean migration.paused')
})
