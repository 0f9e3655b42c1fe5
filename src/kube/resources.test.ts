import { describe, expect, it } from 'vitest'
import * as resources from './resources.ts'
import { apiVersionOf, collectionPath, objectPath, resourceName } from './resources.ts'

describe('paths', () => {
  it.each([
    [resources.PERSISTENT_VOLUME_CLAIM, 'ns', '/api/v1/namespaces/ns/persistentvolumeclaims/x'],
    [resources.PERSISTENT_VOLUME, undefined, '/api/v1/persistentvolumes/x'],
    [resources.NAMESPACE, undefined, '/api/v1/namespaces/x'],
    [resources.STORAGE_CLASS, undefined, '/apis/storage.k8s.io/v1/storageclasses/x'],
    [resources.STORAGE_POLICY, undefined, '/apis/couchestor.io/v1alpha1/storagepolicies/x'],
    [
      resources.VOLUME_MIGRATION,
      'ns',
      '/apis/couchestor.io/v1alpha1/namespaces/ns/volumemigrations/x',
    ],
    [resources.LEASE, 'ns', '/apis/coordination.k8s.io/v1/namespaces/ns/leases/x'],
  ])('of $kind is the one the API server serves', (resource, namespace, path) => {
    expect(objectPath(resource, { name: 'x', namespace })).toBe(path)
  })

  it('of all namespaces has none in it', () => {
    expect(collectionPath(resources.POD)).toBe('/api/v1/pods')
  })

  it('of a subresource ends with it', () => {
    expect(objectPath(resources.STORAGE_POLICY, { name: 'x', subresource: 'status' })).toMatch(
      /storagepolicies\/x\/status$/,
    )
  })

  it.each(['', '.', '..'])('refuses the name "%s", which would address something else', (name) => {
    expect(() => objectPath(resources.PERSISTENT_VOLUME, { name })).toThrow('is no name')
    expect(() => collectionPath(resources.POD, name)).toThrow('is no namespace')
  })

  it('escapes a name, so that it stays one segment', () => {
    expect(objectPath(resources.PERSISTENT_VOLUME, { name: 'a/b?c' })).toMatch(/\/a%2Fb%3Fc$/)
  })

  it('refuses a namespaced object without its namespace, and a namespace where there is none', () => {
    expect(() => objectPath(resources.POD, { name: 'x' })).toThrow('needs a namespace')
    expect(() => collectionPath(resources.NODE, 'ns')).toThrow('has no namespace')
  })
})

it('names groups and versions as RBAC and manifests do', () => {
  expect(apiVersionOf(resources.POD)).toBe('v1')
  expect(apiVersionOf(resources.STORAGE_POLICY)).toBe('couchestor.io/v1alpha1')
  expect(resourceName(resources.POD)).toBe('pods')
  expect(resourceName(resources.STORAGE_POLICY)).toBe('storagepolicies.couchestor.io')
})
