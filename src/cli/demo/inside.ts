import type { SimHandler } from '../../sim/handler.ts'
import type { Replicas } from './replicas.ts'

/** /metrics, /healthz and /readyz of the controller that leads, else of any. */
export function inside(replicas: Replicas): SimHandler {
  return async ({ url }) => {
    const replica = replicas.shown
    if (replica === undefined) return plain(503, 'no controller runs at this moment\n')
    const probe = { '/healthz': 'healthy', '/readyz': 'ready' } as const
    const path = new URL(url, 'http://controller').pathname
    if (path === '/metrics')
      return {
        status: 200,
        headers: { 'content-type': replica.registry.contentType },
        body: await replica.registry.metrics(),
      }
    if (path !== '/healthz' && path !== '/readyz')
      return plain(404, 'not found; there are /metrics, /healthz and /readyz\n')
    const { ok, why } = replica.controller[probe[path]]()
    return plain(ok ? 200 : 503, `${replica.name}: ${why}\n`)
  }
}

function plain(status: number, body: string) {
  return { status, headers: { 'content-type': 'text/plain' }, body }
}
