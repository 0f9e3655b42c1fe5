import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import { systemClock } from '../../src/main/system-clock.ts'
import type { SimHandler } from '../../src/sim/handler.ts'
import { serve } from '../../src/sim/server.ts'
import type { World } from '../../src/sim/world.ts'
import { worldWith } from '../harness.ts'
import type { FleetOptions, Movable } from './fleet.ts'
import { seedFleet } from './fleet.ts'
import { answerQuestions } from './messages.ts'

/** The simulators in a process of their own, so that neither their time nor their memory is counted. */

export type SimUrls = {
  readonly kube: string
  readonly identity: string
  readonly volume: string
  readonly prometheus: string
  readonly operator: { readonly id: string; readonly secret: string }
}
export type Connections = { readonly open: number; readonly everOpened: number }

let world: World | undefined
let movable: readonly Movable[] = []
let kubePort = 0
let ahead = 0
let counted = 0
const sockets = new Set<Socket>()
let everOpened = 0
let prometheusMs = 0
const retyped = new Map<string, (at: number) => void>()

const clock = { ...systemClock, now: () => Date.now() + ahead }

async function start(): Promise<SimUrls> {
  const late = (of: (w: World) => SimHandler) =>
    serve((request) => of(world!)(request)).then((s) => s.url)
  const kube = await serve((request) => world!.api.handle(request))
  kubePort = kube.port
  const identity = await late((w) => w.cloud.keystone)
  const volume = await late((w) => noteRetypes(w.cloud.cinder))
  const prometheus = await late((w) => timed(w.prometheus.handle))
  world = worldWith({
    clock,
    apiClock: systemClock,
    cloud: {
      origin: { identity, volume },
      backends: ['hot', 'warm', 'cold'].map((name) => ({ name, copyMiBps: 1_000_000 })),
      latencies: { schedule: 0, relabel: 0, completion: 0, sourceRemoval: 0 },
    },
  })
  const { id, secret } = world.cloud.seams.operator
  return { kube: kube.url, identity, volume, prometheus, operator: { id, secret } }
}

/** Sums what the simulator itself needs: a share of each cycle that says nothing about the controller. */
function timed(handler: SimHandler): SimHandler {
  return async (request) => {
    const began = performance.now()
    const response = await handler(request)
    prometheusMs += performance.now() - began
    return response
  }
}

function noteRetypes(handler: SimHandler): SimHandler {
  return (request) => {
    if (request.method === 'POST' && request.body.includes('os-retype')) {
      const id = /volumes\/([^/]+)\/action/.exec(request.url)?.[1]
      if (id !== undefined) retyped.get(id)?.(performance.now())
    }
    return handler(request)
  }
}

/** Milliseconds from the annotation to Cinder's request, for `count` volumes, one every `everyMs`. */
async function force({ count, everyMs }: { count: number; everyMs: number }): Promise<number[]> {
  const waits = movable.slice(0, count).map(async (m, i) => {
    await new Promise((resolve) => setTimeout(resolve, i * everyMs))
    const began = performance.now()
    const called = new Promise<number>((resolve) => retyped.set(m.id, resolve))
    await annotate(m, 'couchestor.io/force-tier', 'warm')
    const given = new Promise<number>((resolve) =>
      setTimeout(() => resolve(Infinity), 30_000).unref(),
    )
    return (await Promise.race([called, given])) - began
  })
  return Promise.all(waits)
}

async function annotate({ namespace, name }: Movable, key: string, value: string): Promise<void> {
  const response = await world!.api.handle({
    method: 'PATCH',
    url: `/api/v1/namespaces/${namespace}/persistentvolumeclaims/${name}`,
    headers: { 'content-type': 'application/merge-patch+json' },
    body: JSON.stringify({ metadata: { annotations: { [key]: value } } }),
    signal: new AbortController().signal,
  })
  if (response.status !== 200) throw new Error(`annotating ${name}: ${response.status}`)
}

/** Requests to the API server since the last question, renewals of leases aside. */
function requests(): Record<string, number> {
  const counts: Record<string, number> = {}
  const seen = world!.api.requests
  for (const { verb, resource, subresource } of seen.slice(counted))
    if (resource !== 'leases') {
      const key = `${verb} ${resource}${subresource ? `/${subresource}` : ''}`
      counts[key] = (counts[key] ?? 0) + 1
    }
  counted = seen.length
  return counts
}

function connections(): Connections {
  return { open: sockets.size, everOpened }
}

subscribe('http.server.request.start', (message) => {
  const { socket, request } = message as {
    socket: Socket
    request: IncomingMessage
    server: Server
  }
  if (request.socket.localPort !== kubePort || sockets.has(socket)) return
  everOpened += 1
  sockets.add(socket)
  socket.once('close', () => sockets.delete(socket))
})

answerQuestions({
  start,
  seed: (options: FleetOptions) => {
    movable = seedFleet(world!, options)
  },
  force,
  requests,
  connections,
  prometheusMs: () => {
    const ms = prometheusMs
    prometheusMs = 0
    return ms
  },
  step: (ms: number) => {
    ahead += ms
  },
})
process.on('disconnect', () => process.exit(0))
