import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runDemo } from '../../src/cli/demo/demo.ts'
import { systemClock } from '../../src/main/system-clock.ts'
import { serve } from '../../src/sim/server.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..', '..')
const bundle = join(root, 'dist', 'couchestor.js')

/** Days per minute. Half of the fastest: no scene shall be late only because the machine has more to do. */
const SPEED = 5

type Part = Partial<{ speed: number; port: number; once: boolean; stopAfterMs: number }>

async function play({ speed = SPEED, port, once = true, stopAfterMs }: Part = {}) {
  let text = ''
  const stop = new AbortController()
  if (stopAfterMs !== undefined) setTimeout(() => stop.abort(), stopAfterMs)
  let ids = 0
  const code = await runDemo({
    clock: systemClock,
    random: () => 0.5,
    uuid: () => `00000000-0000-4000-8000-${String(++ids).padStart(12, '0')}`,
    out: { write: (t) => void (text += t), live: false, columns: 80 },
    signal: stop.signal,
    options: { once, speed, port },
  })
  return { code, text, lines: text.split('\n') }
}

describe('the demo, played at five days per minute', () => {
  let played: Awaited<ReturnType<typeof play>>
  beforeAll(async () => {
    played = await play()
  }, 120_000)

  it('keeps all its promises', () => {
    expect(played.lines.filter((l) => l.startsWith('  WRONG'))).toEqual([])
    expect(played.lines.filter((l) => l.startsWith('  ok '))).toHaveLength(8)
    expect(played.code).toBe(0)
  })

  it.each([
    [
      'a decision with its reason in money',
      /decides {3}media\/trailers {2}hot > cold {2}saves 52\.50/,
    ],
    ['a promotion', /decides {3}billing\/invoices-db {2}cold > warm {2}buys speed for 9\.00/],
    ['a forced tier as one types it', /you type {2}kubectl -n platform annotate pvc\/sessions/],
    ['the forced move', /moved {5}platform\/sessions {2}warm > hot/],
    ['a silent revert', /reverted {2}media\/thumbnails/],
    ['its back-off', /waits {5}the policy counts 1 claim as BackingOff/],
    ['its repetition', /retries {3}media\/thumbnails/],
    ['a snapshot that blocks', /blocked {3}shop\/orders-2023/],
    ['its release', /released {2}the backup job deletes its snapshot/],
    ['the move after it', /moved {5}shop\/orders-2023 {2}hot > cold/],
    ['an attached volume that waits', /blocked {3}billing\/ledger-db/],
    ['its move in the gap', /moved {5}billing\/ledger-db {2}hot > cold/],
    ['a controller killed', /KILLED {4}controller-1, in the middle/],
    ['its successor', /took over controller-2 leads/],
    ['the end of the move', /finished {2}controller-2 ends the move of/],
    ['the sale', /moved {5}shop\/cart-db {2}warm > hot/],
    ['how to inspect it', /kubectl --server=http:\/\/127\.0\.0\.1:\d+ get pvc,stp,vmig -A/],
    ['where the metrics are', /Metrics {6}http:\/\/127\.0\.0\.1:\d+\/metrics/],
    ['money before', /before +1,556\.20/],
  ])('shows %s once', (_, pattern) => {
    expect(played.lines.filter((l) => pattern.test(l))).toHaveLength(1)
  })

  it('ends with less cost than it began with, by the sum it prints', () => {
    const amount = (name: string) =>
      Number(
        new RegExp(`^ {2}${name} +([\\d,.]+)`, 'm').exec(played.text)?.[1]?.replaceAll(',', ''),
      )
    expect(amount('after')).toBeLessThan(amount('before'))
    expect(amount('before') - amount('after')).toBeCloseTo(amount('saved'), 2)
    expect(amount('all volumes on hot') - amount('after')).toBeCloseTo(
      amount('saved against all hot'),
      2,
    )
  })

  it('reports that one retype was sent for the move whose controller died', () => {
    expect(played.text.replace(/\s+/g, ' ')).toContain('both controllers together: 1.')
  })

  it('keeps within 80 columns, without a control sequence', () => {
    expect(played.lines.filter((l) => l.length > 80)).toEqual([])
    expect(played.text).not.toContain('\u001b')
  })
})

describe('the demo on a busy machine', () => {
  it('names a port that is taken, and what to do', async () => {
    const other = await serve(() => Promise.resolve({ status: 200, body: '' }))
    await expect(play({ port: other.port })).rejects.toThrow(
      `--port: ${other.port} on 127.0.0.1 is taken by another program; give another one`,
    )
    await other.close()
  })

  it('ends at once when it is interrupted', async () => {
    const { code, text } = await play({ once: false, stopAfterMs: 500 })
    expect(code).toBe(0)
    expect(text).not.toContain('The money')
  })
})

describe('the bundle', () => {
  let cwd: string
  beforeAll(async () => {
    cwd = mkdtempSync(join(tmpdir(), 'couchestor-demo-'))
    if (!existsSync(bundle))
      await run(process.execPath, [join(root, 'tools', 'build.ts')], { cwd: root })
  }, 60_000)
  afterAll(() => rmSync(cwd, { recursive: true }))

  it('plays the demo from an empty directory and ends by itself', async () => {
    const args = [bundle, 'demo', '--once', '--speed', String(SPEED)]
    const playing = run(process.execPath, args, { cwd, env: { PATH: '' } })
    // one that ends badly has reported why
    const { stdout, stderr } = await playing.catch((e: unknown) => e as Awaited<typeof playing>)
    expect(stderr).toBe('')
    expect(stdout.split('\n').filter((l) => l.startsWith('  WRONG'))).toEqual([])
    expect(stdout).toMatch(/saved +543\.00/)
    await playing
  })

  it.each([
    [['--speed', '99'], '--speed: "99" is not a whole number from 1 to 10'],
    [['--sped', '2'], 'did you mean --speed?'],
  ])('answers %j with one clear message', async (args, message) => {
    await expect(run(process.execPath, [bundle, 'demo', ...args])).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining(message) as string,
    })
  })
})
