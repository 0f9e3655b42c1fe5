import { ConnectionError } from '../../src/http.ts'
import type { Stand } from './stand.ts'

/** A Pod that waits for the claim. */
export function needClaim({ stage }: Stand): void {
  stage.world.api.seed({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'cron', namespace: 'default' },
    spec: {
      containers: [{ name: 'main', image: 'none' }],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
    },
    status: { phase: 'Pending' },
  })
}

/** Each write has its effect, and the first answer to it never arrives. */
export function loseEachAnswerOnce(stand: Stand): void {
  const lost = new Set<string>()
  stand.gate = async (request, send) => {
    const answer = await send()
    const { pathname, origin } = new URL(request.url)
    const body = JSON.stringify(request.body ?? '').slice(0, 60)
    const what = `${request.method} ${origin}${pathname} ${body}`
    if (request.method === 'GET' || pathname.includes('/auth/') || lost.has(what)) return answer
    lost.add(what)
    return Promise.reject(new ConnectionError('reset', 'lost'))
  }
}
