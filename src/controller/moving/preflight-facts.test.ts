import { expect, it } from 'vitest'
import { createStore } from '../../kube/store.ts'
import type { ControllerDeps } from '../deps.ts'
import type { Inventory } from '../view/inventory.ts'
import { PreflightGatherer } from './preflight-facts.ts'
import { Quotas } from '../view/quotas.ts'
import type { Target } from '../view/targets.ts'
import type { Watches } from '../view/watches.ts'

it('proves with types read just now, also when VolumeAttachments become known in between', async () => {
  let missingRule: string | undefined = 'list volumeattachments'
  let specs: Record<string, string> = { tier: 'cold' }
  const health = () => ({ missingRule, synced: true, lastActivity: 0 })
  const store = createStore<never>({
    onListenerError: () => {},
    indexes: { claim: () => [], handle: () => [], volumeName: () => [] },
  })
  const watch = () => ({ store, health })
  const [attachments, pods, nodes] = [watch(), watch(), watch()]
  const inventory = {
    microversion: [3, 59],
    get types() {
      return [
        { id: 'hot', name: 'hot', extraSpecs: { tier: 'hot' } },
        { id: 'cold', name: 'cold', extraSpecs: specs },
      ]
    },
    snapshotsOf: async () => {
      await Promise.resolve()
      missingRule = undefined
      return []
    },
    optional: () => Promise.resolve(undefined),
    readTypes: () => {
      // the spec that proved it is gone since the last sweep
      specs = { tier: 'hot' }
      return Promise.resolve()
    },
  } as unknown as Inventory
  const clock = { monotonic: () => 0 }
  const volumes = { projectId: () => Promise.resolve('p1') }
  const deps = { clock, processClock: clock, volumes } as unknown as ControllerDeps
  const quotas = new Quotas(deps, inventory, { inFlight: () => [] })
  const watches = { volumes: watch(), attachments, pods, nodes } as unknown as Watches
  const gatherer = new PreflightGatherer(deps, watches, inventory, quotas)
  const target = {
    claim: { namespace: 'n', name: 'c', resizing: 'no' },
    volume: { name: 'pv', handle: 'vol' },
    to: { typeId: 'cold', typeName: 'cold' },
    policy: { effective: { migration: { attached: 'Auto', migrationPolicy: 'on-demand' } } },
  } as unknown as Target
  const volume = { id: 'vol', typeId: 'hot', typeName: 'hot', status: 'in-use', attachments: [{}] }
  const facts = await gatherer.gather(target, volume as never)
  expect(facts.attached).toBe(true)
  expect(facts.attachedSafety()).toMatchObject({ safe: false })
})
