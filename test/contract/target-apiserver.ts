import { readFileSync } from 'node:fs'
import { load } from 'js-yaml'
import type { HttpClient } from '../../src/http.ts'
import { createHttpClient } from '../../src/http.ts'
import { createApiServer } from '../../src/sim/apiserver/apiserver.ts'
import { serve } from '../../src/sim/server.ts'
import { systemClock } from '../../src/main/system-clock.ts'
import type { Lab } from '../lab/env.ts'

/** An API server under test: the real one or ours. */
export type Target = {
  readonly http: HttpClient
  /** Without a slash at the end. */
  readonly url: string
  /** Begins every name the suite makes, so that runs do not meet. */
  readonly prefix: string
  /** Makes version 1 too old to ask for, as compaction does in time. */
  forgetHistory(): Promise<void>
  close(): Promise<void>
}

/** The simulator behind a real socket. */
export async function simTarget(): Promise<Target> {
  const simulator = createApiServer({ clock: systemClock })
  const server = await serve(simulator.handle)
  const http = createHttpClient()
  const close = async () => {
    await http.close()
    await server.close()
  }
  const forgetHistory = () => Promise.resolve(simulator.compact())
  return { http, url: server.url, prefix: 'contract', forgetHistory, close }
}

type Kubeconfig = {
  clusters: {
    cluster: {
      server: string
      'certificate-authority-data'?: string
      'certificate-authority'?: string
    }
  }[]
  users: { user: Record<string, string> }[]
}

/** The lab's kube-apiserver, with the administrator's client certificate. */
export function labTarget(lab: Lab): Target {
  const config = load(readFileSync(lab.kubeconfig, 'utf8')) as Kubeconfig
  const { cluster } = config.clusters[0]!
  const { user } = config.users[0]!
  const http = createHttpClient({
    ca: pem(cluster, 'certificate-authority'),
    cert: pem(user, 'client-certificate'),
    key: pem(user, 'client-key'),
  })
  return {
    http,
    url: cluster.server,
    prefix: `contract-${process.pid}`,
    forgetHistory,
    close: () => http.close(),
  }
}

const ETCD = 'http://127.0.0.1:2379'

/** Compacts etcd only up to the very first versions: everybody else in the lab keeps the history they use. */
async function forgetHistory(): Promise<void> {
  const http = createHttpClient()
  const body = JSON.stringify({ revision: '10', physical: true })
  const request = { method: 'POST', url: `${ETCD}/v3/kv/compaction`, body }
  // an answer of "has been compacted" is as good
  const response = await http.request(request)
  await response.text()
  await http.close()
}

function pem(from: Readonly<Record<string, string | undefined>>, field: string): string {
  const inline = from[`${field}-data`]
  if (inline !== undefined) return Buffer.from(inline, 'base64').toString('utf8')
  return readFileSync(from[field]!, 'utf8')
}
