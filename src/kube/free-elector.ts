import type { Clock } from '../clock.ts'
import type { Elector } from './types.ts'

/**
 * For `--leader-elect=false`: always the leader, so a person must make sure that there is only one.
 * The epoch is the start time in seconds, which grows from start to start as a lease's transitions would.
 */
export function createFreeElector({ clock }: { clock: Clock }): Elector {
  const epoch = Math.floor(clock.now() / 1000)
  return {
    run: (signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve('stopped')
        signal.addEventListener('abort', () => resolve('stopped'), { once: true })
      }),
    isLeader: true,
    elected: () => Promise.resolve(),
    epoch,
    leaseUid: undefined,
    fence: () => {},
    healthy: () => true,
  }
}
