import { expect } from 'vitest'
import { createVirtualClock } from '../../../test/virtual-clock.ts'
import type { HttpRequest } from '../../http.ts'
import { silentLog } from '../../log.ts'
import type { VolumeActivity, WindowAnswer } from '../types.ts'
import type { PrometheusSourceConfig } from './config.ts'
import type { Scripted } from './scripted-http.ts'
import { scriptedHttp, vector } from './scripted-http.ts'
import type { PrometheusSourceOptions } from './source.ts'
import { createPrometheusSource } from './source.ts'

// for tests: a source whose server answers the four questions of one window as scripted

export const END = 1_767_226_200
const WINDOW = { endSeconds: END, windowSeconds: 1800 }
export const A = 'aaaaaaaa-1111-4222-8333-444444444444'
export const B = 'bbbbbbbb-1111-4222-8333-444444444444'
const config: PrometheusSourceConfig = {
  endpoint: 'http://prometheus:9090',
  queryTimeoutMs: 30_000,
  preset: 'agent',
  scrapeIntervalSeconds: 30,
}

export type Kind = 'operations' | 'bytes' | 'reads' | 'writes' | 'probe'

/** Which of the four questions, or the measuring of the interval, a request asks. */
export function kindOf(request: HttpRequest): Kind {
  const query = new URLSearchParams(request.body).get('query')!
  if (!/max by/.test(query)) return 'probe'
  if (/bytes/.test(query)) return 'bytes'
  if (!/count_over_time/.test(query)) return 'operations'
  return /read/.test(query) ? 'reads' : 'writes'
}

export type Rows = readonly (readonly [labels: Record<string, string>, value: string])[]

/** Answers like a server: `rows` where given, else volume A with 12 operations/s of 4 KiB and 60 samples. */
export function answers(
  rows: Partial<Record<Kind, Rows>>,
  probe: readonly number[] = [],
): Scripted {
  const usual: Record<Kind, Rows> = {
    operations: [[{ volume_id: A }, '12']],
    bytes: [[{ volume_id: A }, '49152']],
    reads: [[{ volume_id: A }, '60']],
    writes: [[{ volume_id: A }, '60']],
    probe: [],
  }
  return (request) => {
    const kind = kindOf(request)
    if (kind !== 'probe') return vector(END, rows[kind] ?? usual[kind])
    const values = probe.map((t) => [END - 1800 + t, '1'])
    const result = probe.length === 0 ? [] : [{ metric: {}, values }]
    return { body: { status: 'success', data: { resultType: 'matrix', result } } }
  }
}

export function volumesIn(answer: WindowAnswer): ReadonlyMap<string, VolumeActivity> {
  return answer.kind === 'Answer' ? answer.volumes : expect.unreachable(answer.why)
}

export function warningsIn(answer: WindowAnswer): readonly string[] {
  return answer.kind === 'Answer' ? answer.warnings : expect.unreachable(answer.why)
}

export async function ask(
  script: Scripted,
  options: Partial<Omit<PrometheusSourceOptions, 'config'>> & {
    config?: Partial<PrometheusSourceConfig>
    /** Without a configured scrape interval. */
    measured?: boolean
  } = {},
) {
  const http = scriptedHttp(script)
  const clock = createVirtualClock(END * 1000)
  const { config: changed, measured, ...rest } = options
  const { scrapeIntervalSeconds, ...unset } = config
  const source = createPrometheusSource({
    http,
    clock,
    random: () => 0,
    log: silentLog,
    ...rest,
    config: { ...unset, ...(measured ? {} : { scrapeIntervalSeconds }), ...changed },
  })
  const window = async (): Promise<WindowAnswer> => {
    const answer = source.window(WINDOW)
    await clock.advance(120_000)
    return answer
  }
  return { http, source, window, answer: await window() }
}
