import { readFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { answerQuestions } from './messages.ts'

/** Loaded into the measured process before its own code. */

export type Blocks = {
  /** Longest time in which a timer that was due did not run, ms. */
  readonly wallMs: number
  /** The same, but no more than the processor time the main thread used in it: another process's turn is not ours. */
  readonly cpuMs: number
}

export type Memory = {
  readonly rssMB: number
  readonly peakMB: number
  readonly heapMB: number
  /** What is the process's own: pages of files are shared, and the kernel drops them when memory is short. */
  readonly anonymousMB: number
}

const TICK_MS = 5
const MB = 1024 * 1024
let longest = { wallMs: 0, cpuMs: 0 }

/** node-typed since 24; absent in older versions, where the wall time stands for both. */
function threadMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

function watchBlocks(): void {
  let due = performance.now() + TICK_MS
  let cpu = threadMs()
  setInterval(() => {
    const now = performance.now()
    const used = threadMs()
    const late = Math.max(0, now - due)
    longest = {
      wallMs: Math.max(longest.wallMs, late),
      cpuMs: Math.max(longest.cpuMs, Math.min(late, used - cpu)),
    }
    due = now + TICK_MS
    cpu = used
  }, TICK_MS).unref()
}

function memory(): Memory {
  const { rss, heapUsed } = process.memoryUsage()
  return {
    rssMB: rss / MB,
    peakMB: process.resourceUsage().maxRSS / 1024,
    heapMB: heapUsed / MB,
    anonymousMB: anonymousKB() / 1024,
  }
}

/** NaN where the kernel has no such file. */
function anonymousKB(): number {
  try {
    return Number(
      /^Anonymous:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/smaps_rollup', 'utf8'))?.[1],
    )
  } catch {
    return NaN
  }
}

function collect(): Memory {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  gc()
  gc()
  return memory()
}

watchBlocks()
answerQuestions({
  memory,
  collected: collect,
  blocks: () => {
    const { wallMs, cpuMs } = longest
    longest = { wallMs: 0, cpuMs: 0 }
    return { wallMs, cpuMs } satisfies Blocks
  },
  cpu: () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000
  },
})
process.channel?.unref()
