import { expect, it } from 'vitest'
import type { HttpRequest } from '../../src/http.ts'
import { TAKEN_OVER } from '../../src/migration/snapshot-restore/names.ts'
import { callsOfAWholeRun, deathsAt, killedAt } from './killing.ts'
import type { Death } from './killing.ts'
import { REPLACEMENTS } from './replacement-scenes.ts'

type Point = { readonly index: number; readonly call: HttpRequest; readonly death: Death }

/** Of every call from where a scene differs from the others on, with every death, each `stride`th. */
export function replacementMatrix(stride: number): void {
  it.each(Object.entries(REPLACEMENTS))(
    '%s, and it ends the same whichever call the controller is killed at',
    async (_, make) => {
      const failures: string[] = []
      for (const { index, call, death } of await pointsOf(make, stride))
        for (const problem of await killedAt(make(), index, death))
          failures.push(`killed at call ${index} (${call.method} ${call.url}) ${death}: ${problem}`)
      expect(failures.slice(0, 10), `${failures.length} in all`).toEqual([])
    },
    stride === 1 ? 3_600_000 : 600_000,
  )
}

/** A death at a read is one between two writes: where nothing else changes one of them stands for many. */
const READS_PER_DEATH = 25

/** One call in hundreds, on which all data of a cluster depends that is put back from a backup: no stride leaves it out. */
function isMark({ method, body = '' }: HttpRequest): boolean {
  return method === 'POST' && body.includes(`{"metadata":{"${TAKEN_OVER}":`)
}

async function pointsOf(
  make: (typeof REPLACEMENTS)[string],
  stride: number,
): Promise<readonly Point[]> {
  const play = make()
  const calls = await callsOfAWholeRun(play)
  const own = calls.map((call, index) => ({ index, call })).slice(play.from)
  const isRead = ({ call: { method, url } }: Pick<Point, 'call'>) =>
    method === 'GET' || /\/(leases|events)|reviews$|prometheus/.test(url)
  const points = [
    ...own.filter((p) => !isRead(p)),
    ...own.filter(isRead).filter((_, i) => i % READS_PER_DEATH === 0),
  ].flatMap((p) => deathsAt(p.call).map((death) => ({ ...p, death })))
  return points.filter(({ call }, i) => i % stride === 0 || isMark(call))
}
