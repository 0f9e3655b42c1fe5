import { createCloud } from '../../src/sim/cloud/cloud.ts'
import type { Account } from '../../src/sim/cloud/seams.ts'
import { serve } from '../../src/sim/server.ts'
import { createVirtualClock } from '../virtual-clock.ts'
import type { CloudTarget, PasswordLogin } from './cloud-target.ts'

const login = (account: Account): PasswordLogin => ({
  username: account.user.name,
  password: account.user.password,
  project: account.project.name,
})

/** The simulator behind real sockets, on a clock that only `pass` moves. */
export async function simTarget(): Promise<CloudTarget> {
  const clock = createVirtualClock()
  const { keystone, cinder, gnocchi, seams } = createCloud({ clock })
  const identity = await serve(keystone)
  const volume = await serve(cinder)
  const metric = await serve(gnocchi)
  seams.setOrigin({ identity: identity.url, volume: volume.url, metric: metric.url })
  return {
    authUrl: `${identity.url}/v3`,
    admin: login(seams.admin),
    couchestor: login(seams.couchestor),
    other: login(seams.other),
    operator: seams.operator,
    prefix: 'contract',
    now: () => clock.now(),
    pass: (ms) => clock.advance(ms),
    // nothing is done while the clock stands still
    underWay: (work) => work(),
    stop: async () => {
      await identity.close()
      await volume.close()
      await metric.close()
    },
  }
}
