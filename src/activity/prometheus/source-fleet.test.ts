import { describe, expect, it } from 'vitest'
import type { HttpRequest } from '../../http.ts'
import { A, answers, ask, B, kindOf, volumesIn, warningsIn } from './scripted-window.ts'
import type { Kind, Rows } from './scripted-window.ts'

describe('a large fleet', () => {
  const shardOf = (request: HttpRequest) =>
    /volume_id=~"([^"]*)"/.exec(new URLSearchParams(request.body).get('query')!)![1]!

  it.each([
    [20_000, 4],
    [20_001, 64],
    [300_000, 64],
  ])('of %i volumes is asked for in %i requests', async (size, requests) => {
    const { http } = await ask(answers({ operations: [], bytes: [], reads: [], writes: [] }), {
      volumesHint: () => size,
    })

    expect(http.requests).toHaveLength(requests)
  })

  it('is split so that every id is in exactly one part', async () => {
    const { http } = await ask(answers({ operations: [], bytes: [], reads: [], writes: [] }), {
      volumesHint: () => 50_000,
    })
    const parts = [...new Set(http.requests.map(shardOf))].map((p) => new RegExp(`^(?:${p})$`))

    const holders = [...'0123456789abcdefABCDEF'].map(
      (digit) => parts.filter((p) => p.test(`${digit}aaaaaaa-1111`)).length,
    )

    expect(holders).toEqual(holders.map(() => 1))
  })
})

describe('the scrape interval', () => {
  const every = (seconds: number, count = Math.floor(1800 / seconds)) =>
    Array.from({ length: count }, (_, i) => i * seconds)

  const counted = (samples: string): Partial<Record<Kind, Rows>> => ({
    reads: [[{ volume_id: A }, samples]],
    writes: [[{ volume_id: A }, samples]],
  })

  it('is measured once and then remembered', async () => {
    const { answer, http, window } = await ask(answers(counted('120'), every(15)), {
      measured: true,
    })
    await window()

    expect(answer).toHaveProperty(
      'volumes',
      new Map([[A, expect.objectContaining({ coveragePercent: 100 })]]),
    )
    expect(http.requests.map(kindOf).filter((k) => k === 'probe')).toHaveLength(1)
  })

  it('does not take an outage of the server for a longer interval', async () => {
    const withGap = every(15).filter((t) => t < 300 || t >= 1500)
    const { answer } = await ask(answers(counted('40'), withGap), { measured: true })

    expect(answer).toHaveProperty(
      'volumes',
      new Map([[A, expect.objectContaining({ coveragePercent: 100 / 3 })]]),
    )
  })

  it('is measured again when the counts contradict it', async () => {
    let phase = 1
    const first = answers(counted('120'), every(15))
    const second = answers(counted('60'), every(30))
    const { window } = await ask(() => (phase === 1 ? first : second), { measured: true })
    phase = 2

    expect(await window()).toHaveProperty(
      'volumes',
      new Map([[A, expect.objectContaining({ coveragePercent: 100 })]]),
    )
  })

  it('that is set too long is reported, since gaps are not seen then', async () => {
    const config = { scrapeIntervalSeconds: 60 }
    const { answer } = await ask(answers(counted('90')), { config })
    expect(answer).toHaveProperty('warnings', [
      'prometheus.scrape_interval is 60 s, but half of the volumes have a sample every 20 s or more often: gaps in their numbers are not seen; set it to the time between two scrapes',
    ])
    expect(await ask(answers(counted('31')), { config })).toMatchObject({
      answer: { warnings: [] },
    })
  })

  it('that cannot be measured leaves every volume without data and says what to do', async () => {
    const { answer } = await ask(answers(counted('2'), [0, 900]), { measured: true })

    expect(answer).toMatchObject({ kind: 'Answer', volumes: new Map() })
    expect(answer).toHaveProperty('warnings', [
      expect.stringMatching(/fewer than 4 samples.*set prometheus.scrape_interval/),
    ])
  })
})

describe('serials of 20 characters', () => {
  const rows = (serial: string): Partial<Record<Kind, Rows>> => ({
    operations: [[{ serial }, '12']],
    bytes: [[{ serial }, '49152']],
    reads: [[{ serial }, '60']],
    writes: [[{ serial }, '60']],
  })
  const nodeExporter = { preset: 'node-exporter' as const }

  it.each([
    ['a whole serial', A, [B]],
    ['a cut serial of a known volume', A.slice(0, 20), [A, B]],
    ['a serial in capitals', A.toUpperCase(), []],
  ])('name the volume: %s', async (_, serial, known) => {
    const { answer } = await ask(answers(rows(serial)), {
      config: nodeExporter,
      knownVolumes: () => known,
    })

    expect([...volumesIn(answer).keys()]).toEqual([A])
  })

  it.each([
    ['fits two volumes', [A, `${A.slice(0, 20)}000-000000000000`], [/fits several volumes/]],
    ['fits none', [B], []],
  ])('give no data where the cut serial %s', async (_, known, warnings) => {
    const { answer } = await ask(answers(rows(A.slice(0, 20))), {
      config: nodeExporter,
      knownVolumes: () => known,
    })

    expect(answer).toMatchObject({ kind: 'Answer', volumes: new Map() })
    expect(warningsIn(answer)).toEqual(warnings.map((w) => expect.stringMatching(w)))
  })

  it('name the volume in the counters of the agent too', async () => {
    const label = { volume_id: A.slice(0, 20) }
    const { answer } = await ask(
      answers({
        operations: [[label, '12']],
        bytes: [[label, '49152']],
        reads: [[label, '60']],
        writes: [[label, '60']],
      }),
      { knownVolumes: () => [A, B] },
    )

    expect([...volumesIn(answer).keys()]).toEqual([A])
  })

  it('ask for the list of volumes when there is none', async () => {
    const { answer } = await ask(answers(rows(A.slice(0, 20))), { config: nodeExporter })

    expect(answer).toHaveProperty('warnings', [expect.stringMatching(/no list of volumes/)])
  })

  it('of local disks are none of our business', async () => {
    const { answer } = await ask(answers(rows('S4XNNE0M500123')), {
      config: nodeExporter,
      knownVolumes: () => [A],
    })

    expect(answer).toEqual({ kind: 'Answer', volumes: new Map(), warnings: [] })
  })
})
