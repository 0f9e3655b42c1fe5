import { readFileSync } from 'node:fs'
import type { Clock } from '../clock.ts'

/** The machine's clocks. Boot time comes from /proc/uptime, which goes on while the machine is suspended. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  boot: () => {
    try {
      return Number.parseFloat(readFileSync('/proc/uptime', 'utf8')) * 1000
    } catch {
      return performance.now()
    }
  },
  setTimer: (ms, fn) => {
    const handle = setTimeout(fn, Math.min(ms, 2 ** 31 - 1))
    return { cancel: () => clearTimeout(handle) }
  },
}
