import { describe, expect, it } from 'vitest'
import { inProcess } from '../../src/sim/server.ts'
import { WorkloadStage } from '../controller/workload-stage.ts'
import { HOUR } from '../controller/stage.ts'
import type { Gate } from '../life.ts'
import type { HttpRequest } from '../../src/http.ts'

type Kill = { readonly at: number; readonly when: 'before' | 'after' }

/** Writes about the stop and the move, from the record of the stop on. Events and leases change nothing. */
function writes(): (request: HttpRequest) => number | undefined {
  let seen = 0
  return ({ method, url, body }) => {
    if (method === 'GET' || /\/(events|leases|selfsubject\w+|auth)\b/.test(url)) return undefined
    if (seen === 0 && !String(body ?? '').includes('"stops/"')) return undefined
    return seen++
  }
}

/** A Deployment that is stopped for a retype; the first leader dies at its nth write, and another one takes over. */
async function played(kill?: Kill) {
  const stage = new WorkloadStage()
  stage.policy({ migration: { workloads: 'Restart' } })
  const [volume] = await stage.deployment('web', { claims: ['data'], replicas: 3 })
  stage.cloud.write(volume!.id, 'orders')
  const numberOf = writes()
  let count = 0
  let isDead = false
  const gate: Gate = (request, send) => {
    const n = isDead ? undefined : numberOf(request)
    if (n === undefined) return send()
    count = n + 1
    if (n !== kill?.at) return send()
    isDead = true
    const { signal: _signal, ...bare } = request
    const effect =
      kill.when === 'after' ? inProcess(stage.world.routes).request(bare) : Promise.resolve()
    first.life.kill()
    return effect.then(() => new Promise<never>(() => {}))
  }
  const first = stage.start({ gate })
  const isOver = () =>
    stage.tier(volume!) === 'cold' && stage.replicas('web') === 3 && stage.stops().length === 0
  if (kill !== undefined) {
    const died = await stage.until(() => isDead)
    if (!died) throw new Error(`there is no write ${kill.at}`)
    stage.start({ identity: 'second' })
  }
  expect(await stage.until(isOver, 4 * HOUR)).toBe(true)
  return { stage, volume: volume!, count }
}

describe('a leader that dies while a workload is stopped for a move', () => {
  const { length } = { length: 24 }
  // every third write, by turns before and after it: all of them are in no run a few minutes long
  const kills = Array.from({ length: length / 3 }, (_, i): Kill => ({
    at: i * 3 + (i % 3),
    when: i % 2 === 0 ? 'after' : 'before',
  }))

  it('makes as many writes as are killed here', async () => {
    expect((await played()).count).toBeGreaterThan(16)
  })

  it.each(kills)('leaves nothing down and nothing lost (write $at, $when)', async (kill) => {
    const { stage, volume } = await played(kill)
    expect(stage.mark('web')).toBeUndefined()
    expect(stage.pods('web')).toHaveLength(3)
    expect(stage.retypes(volume)).toBe(1)
    expect(stage.cloud.data(volume.id)).toBe('orders')
  })
})
