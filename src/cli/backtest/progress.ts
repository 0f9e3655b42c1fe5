import type { Clock } from '../../clock.ts'

const EVERY_MS = 100
const WIDTH = 30

/** Draws a bar that overwrites itself; `end` wipes it. Nothing is drawn when the output is not a terminal. */
export function createProgress(
  terminal: { readonly isTTY?: boolean; write(text: string): unknown },
  clock: Pick<Clock, 'monotonic'>,
): { show(label: string, share: number): void; end(): void } {
  let last = -Infinity
  let drawn = false
  return {
    show(label, share) {
      const now = clock.monotonic()
      if (terminal.isTTY !== true || now - last < EVERY_MS) return
      last = now
      drawn = true
      const full = Math.round(Math.min(1, Math.max(0, share)) * WIDTH)
      const bar = '#'.repeat(full) + '-'.repeat(WIDTH - full)
      terminal.write(`\r\x1b[2K${label} [${bar}] ${Math.round(share * 100)} %`)
    },
    end() {
      if (drawn) terminal.write('\r\x1b[2K')
      drawn = false
    },
  }
}
