import { afterAll, beforeAll, describe } from 'vitest'
import { applyContract } from './apiserver-apply.suite.ts'
import { ApiClient } from './apiserver-client.ts'
import { deleteContract } from './apiserver-delete.suite.ts'
import { GROUP, WIDGET_CRD } from './apiserver-fixtures.ts'
import { listContract } from './apiserver-list.suite.ts'
import type { Setup } from './apiserver-setup.ts'
import { until } from './apiserver-setup.ts'
import { schemaContract } from './apiserver-schema.suite.ts'
import { serverContract } from './apiserver-server.suite.ts'
import type { Target } from './target-apiserver.ts'
import { watchContract } from './apiserver-watch.suite.ts'
import { writeContract } from './apiserver-write.suite.ts'

/** What a client can see of an API server; run against the real one and against ours. Skipped without a target. */
export function apiServerContract(name: string, target: (() => Promise<Target>) | undefined) {
  describe.skipIf(target === undefined)(`what a client sees of ${name}`, () => {
    let current: Target | undefined
    let setup: Setup | undefined
    beforeAll(async () => {
      current = await target!()
      setup = await prepared(current)
    })
    afterAll(async () => {
      if (setup !== undefined) await cleanUp(setup)
      await current?.close()
    })
    const use = () => setup!
    serverContract(use)
    writeContract(use)
    schemaContract(use)
    applyContract(use)
    deleteContract(use)
    listContract(use)
    watchContract(use)
  })
}

async function prepared({ http, url, prefix, forgetHistory }: Target): Promise<Setup> {
  const api = new ApiClient(http, url)
  await api.post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', WIDGET_CRD)
  await api.post('/api/v1/namespaces', { metadata: { name: prefix } })
  const widgets = `/apis/${GROUP}/v1/namespaces/${prefix}/widgets`
  await until(async () => (await api.get(widgets)).status === 200)
  // the list of groups follows a moment later
  await until(async () => {
    const { groups } = (await api.get('/apis')).body
    return groups.some((g: { name: string }) => g.name === GROUP)
  })
  return {
    api,
    namespace: prefix,
    configmaps: `/api/v1/namespaces/${prefix}/configmaps`,
    claims: `/api/v1/namespaces/${prefix}/persistentvolumeclaims`,
    widgets,
    prefix,
    forgetHistory,
  }
}

async function cleanUp({ api, namespace }: Setup) {
  await api.delete(`/api/v1/namespaces/${namespace}`)
  await until(async () => (await api.get(`/api/v1/namespaces/${namespace}`)).status === 404)
  const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  await api.delete(`${crds}/${WIDGET_CRD.metadata.name}`)
}
