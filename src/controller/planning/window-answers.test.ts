import { expect, it } from 'vitest'
import { createVirtualClock } from '../../../test/virtual-clock.ts'
import { unavailableSource } from '../../activity/unavailable.ts'
import type { ActivitySource } from '../../activity/types.ts'
import type { ControllerDeps } from '../deps.ts'
import type { ResolvedPolicy } from '../view/policies.ts'
import { WindowAnswers } from './window-answers.ts'

const MINUTE = 60_000
const signal = new AbortController().signal

/** A server that gives up at windows longer than an hour. */
function overtaxed() {
  const asked: number[] = []
  const Prometheus: ActivitySource = {
    name: 'prometheus/agent',
    lagSeconds: 0,
    window: ({ windowSeconds }) => {
      asked.push(windowSeconds)
      return Promise.resolve(
        windowSeconds > 3600
          ? { kind: 'Down', why: 'query processing would load too many samples into memory' }
          : { kind: 'Answer', volumes: new Map(), warnings: [] },
      )
    },
  }
  const clock = createVirtualClock(1_767_225_600_000)
  const deps = { clock, processClock: clock, timing: { recheckMs: MINUTE } }
  const sources = { Prometheus, Gnocchi: unavailableSource('gnocchi', 'not there') }
  return { asked, answers: new WindowAnswers(deps as unknown as ControllerDeps, sources) }
}

const policy = (windowMs: number) =>
  ({ effective: { metrics: { source: 'Prometheus', windowMs } } }) as unknown as ResolvedPolicy

async function newest(answers: WindowAnswers, of: ResolvedPolicy) {
  return (await answers.ask(of, answers.latestEnd(of), signal)).kind
}

it('a window that is too long for the source is no outage for policies with a shorter one', async () => {
  const { answers } = overtaxed()
  expect(await newest(answers, policy(1440 * MINUTE))).toBe('Down')
  expect(await newest(answers, policy(30 * MINUTE))).toBe('Answer')
})

it('a source that is down is asked once per pass for all policies with the same window', async () => {
  const { asked, answers } = overtaxed()
  for (let i = 0; i < 3; i += 1) expect(await newest(answers, policy(1440 * MINUTE))).toBe('Down')
  expect(asked).toEqual([86_400])
})
