import { setTimeout as delay } from 'node:timers/promises'
import { createHttpClient } from '../../src/http.ts'
import { createWorkloads } from '../../src/kube/workloads.ts'
import type { Workloads } from '../../src/kube/workloads.ts'
import { systemClock } from '../../src/main/system-clock.ts'
import { createApiServer } from '../../src/sim/apiserver/apiserver.ts'
import { serve } from '../../src/sim/server.ts'
import type { Lab } from '../lab/env.ts'
import { createVirtualClock } from '../virtual-clock.ts'
import { ApiClient } from './apiserver-client.ts'
import { clientOf } from './pv-target.ts'
import { labTarget } from './target-apiserver.ts'

/** A cluster whose workloads are stopped. Nobody schedules or runs their Pods. */
export type WorkloadTarget = {
  /** Raw requests, for what a stop itself never does. */
  readonly api: ApiClient
  readonly workloads: Workloads
  readonly namespace: string
  pass(ms: number): Promise<void>
  close(): Promise<void>
}

/** The stand-in behind a real socket, on a clock that only `pass` moves. */
export async function simWorkloads(): Promise<WorkloadTarget> {
  const clock = createVirtualClock()
  const server = createApiServer({ clock, workloads: 'Pending' })
  const served = await serve(server.handle)
  const http = createHttpClient()
  const api = new ApiClient(http, served.url)
  const namespace = 'contract'
  await api.post('/api/v1/namespaces', { metadata: { name: namespace } })
  return {
    api,
    workloads: createWorkloads(clientOf({ http, url: served.url }, systemClock)),
    namespace,
    pass: (ms) => clock.advance(ms),
    close: async () => {
      await http.close()
      await served.close()
    },
  }
}

/** The lab: real API server and controller manager. */
export async function labWorkloads(lab: Lab): Promise<WorkloadTarget> {
  const target = labTarget(lab)
  const api = new ApiClient(target.http, target.url)
  const namespace = `${target.prefix}-workloads`
  await api.post('/api/v1/namespaces', { metadata: { name: namespace } })
  return {
    api,
    workloads: createWorkloads(clientOf(target, systemClock)),
    namespace,
    pass: (ms) => delay(ms),
    close: async () => {
      await api.delete(`/api/v1/namespaces/${namespace}`)
      await target.close()
    },
  }
}
