import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { comparisonTable, MOST_PROCESSOR_RATIO, processorRatio } from '../test/bench/against.ts'
import type { Cycle } from '../test/bench/cycles.ts'
import { compileCycleOf } from '../test/bench/programs.ts'

function cycles(...cpu: number[]): Cycle[] {
  return cpu.map((seconds) => ({
    seconds,
    prometheus: 0.01,
    cpu: seconds,
    blockMs: 10,
    anonymousMB: 70,
    rssMB: 120,
  }))
}

it('a version that needs half as much processor time again in every cycle is too slow', () => {
  const ratio = processorRatio({
    volumes: 1000,
    base: cycles(0.2, 0.22, 0.3),
    here: cycles(0.3, 0.33, 0.45),
  })
  expect(ratio).toBeCloseTo(1.5)
  expect(ratio).toBeGreaterThan(MOST_PROCESSOR_RATIO)
})

it('cycles that the machine disturbed make no version slow', () => {
  const ratio = processorRatio({
    volumes: 1000,
    base: cycles(0.2, 0.21, 0.22),
    here: cycles(0.2, 0.6, 0.7),
  })
  expect(ratio).toBeCloseTo(1)
})

it('the table shows wall time, processor time, memory and the longest block of both, with their ratio', () => {
  const text = comparisonTable({ volumes: 1000, base: cycles(0.2), here: cycles(0.3) }, 'abc1234')
  for (const what of ['wall time', 'processor time', 'anonymous memory', 'longest block'])
    expect(text).toContain(what)
  expect(text).toMatch(/processor time of a cycle +0\.20 s +0\.30 s +1\.50/)
})

it('the commit that CI compares with is written down in full', () => {
  const baseline = readFileSync(join(import.meta.dirname, '../test/bench/baseline'), 'utf8').trim()
  expect(baseline).toMatch(/^[0-9a-f]{40}$/)
})

it('a commit that is not in the clone is named, with what to do', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'couchestor-bench-test-'))
  try {
    const missing = '0123456789abcdef0123456789abcdef01234567'
    await expect(compileCycleOf(missing, join(dir, 'base.mjs'))).rejects.toThrow(
      /^commit 0123456789abcdef0123456789abcdef01234567 is not in this clone.*fetch/,
    )
  } finally {
    rmSync(dir, { recursive: true })
  }
})
