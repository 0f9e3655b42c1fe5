import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { NAMESPACE, render } from './helm.ts'
import { describeLab } from '../lab/describe-lab.ts'

const CRDS = 'apiextensions.k8s.io/v1'
const kind = (name: string, plural: string, namespaced: boolean) => ({
  kind: name,
  name: plural,
  namespaced,
  verbs: ['get'],
})
const DISCOVERY: Readonly<Record<string, object>> = {
  '/version': { major: '1', minor: '36', gitVersion: 'v1.36.0' },
  '/api': { kind: 'APIVersions', versions: ['v1'] },
  '/apis': {
    kind: 'APIGroupList',
    groups: [
      {
        name: 'apiextensions.k8s.io',
        versions: [{ groupVersion: CRDS, version: 'v1' }],
        preferredVersion: { groupVersion: CRDS, version: 'v1' },
      },
    ],
  },
  '/api/v1': {
    kind: 'APIResourceList',
    groupVersion: 'v1',
    resources: [kind('Namespace', 'namespaces', false), kind('Secret', 'secrets', true)],
  },
  [`/apis/${CRDS}`]: {
    kind: 'APIResourceList',
    groupVersion: CRDS,
    resources: [kind('CustomResourceDefinition', 'customresourcedefinitions', false)],
  },
}

describeLab('somebody who may read nothing in the cluster', () => {
  const directory = mkdtempSync(join(tmpdir(), 'couchestor-lookups-'))
  const kubeconfig = join(directory, 'kubeconfig')
  const forbidden: string[] = []
  const server = createServer(({ url = '' }, response) => {
    const [path = ''] = url.split('?')
    const known = DISCOVERY[path]
    if (known === undefined) forbidden.push(path)
    response.writeHead(known === undefined ? 403 : 200, { 'content-type': 'application/json' })
    const refusal = { kind: 'Status', status: 'Failure', reason: 'Forbidden', code: 403 }
    response.end(JSON.stringify(known ?? refusal))
  })

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'a', cluster: { server: `http://127.0.0.1:${port}` } }],
      contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
      users: [{ name: 'a', user: {} }],
      'current-context': 'a',
    }
    writeFileSync(kubeconfig, JSON.stringify(config))
  })
  afterAll(() => {
    server.close()
    rmSync(directory, { recursive: true })
  })

  it('may install what lies in a namespace, with a Secret of the chart', async () => {
    const data = {
      OS_AUTH_URL: 'https://keystone.example.com:5000/v3',
      OS_APPLICATION_CREDENTIAL_ID: 'id',
      OS_APPLICATION_CREDENTIAL_SECRET: 'secret',
    }
    const values = {
      crds: { enabled: false },
      rbac: { create: false, userRoles: false },
      admission: { enabled: false },
      credentials: { create: true, data },
    }
    const args = ['--dry-run=server', '--kubeconfig', kubeconfig]
    expect(await render(values, NAMESPACE, args)).not.toEqual([])
    expect(forbidden).toEqual([])
  })
})
