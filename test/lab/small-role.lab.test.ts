import { afterAll, beforeAll, expect, it } from 'vitest'
import { GUIDE } from '../crds/manifests.ts'
import {
  buildController,
  CONTROLLER_NAMESPACE,
  startController,
  stopControllers,
} from './controller-process.ts'
import type { ControllerProcess } from './controller-process.ts'
import { describeLab } from './describe-lab.ts'
import { createFleet } from './fleet.ts'
import type { Fleet } from './fleet.ts'
import { install } from './install.ts'
import { kubectl } from './kubectl.ts'

const POLICY = 'e2e-small-role'

let fleet: Fleet
let controller: ControllerProcess

describeLab("the controller, under the guide's own role", () => {
  beforeAll(async () => {
    await buildController()
    // what our role has beyond the guide's
    const extra = ['role/couchestor', 'rolebinding/couchestor', '--ignore-not-found']
    await kubectl(['-n', CONTROLLER_NAMESPACE, 'delete', ...extra])
    await install(`${GUIDE}/rbac.yaml`)
    fleet = await createFleet('e2e-small-role')
    await fleet.up()
    await fleet.policy(POLICY, {})
    controller = await startController()
  })
  afterAll(async () => {
    await stopControllers()
    await install()
    await fleet.down()
  })

  it('does a forced move and names the rules it misses', async () => {
    const { volumeId } = await fleet.claim('forced', POLICY)
    const before = await fleet.digest(volumeId)
    await fleet.annotate('forced', { 'couchestor.io/force-tier': 'cold' })
    await fleet.volumeOn(volumeId, 'couchestor-cold')
    await fleet.migrationWhen('forced', 'succeeds', (m) => m.status?.step === 'Succeeded')
    expect(await fleet.digest(volumeId)).toBe(before)

    const policy = await fleet.policyWhen(POLICY, 'names the rules', ({ status }) =>
      (status?.conditions ?? []).some((c) => c.message.includes('the role lacks')),
    )
    const ready = policy.status?.conditions?.find((c) => c.type === 'Ready')
    for (const resource of ['namespaces', 'pods']) {
      expect(ready?.message).toContain(resource)
      const reported = controller
        .lines()
        .some((l) => `${String(l['missingRule'])}`.includes(resource))
      expect(reported).toBe(true)
    }
    expect((await fetch(`${controller.healthUrl}/readyz`)).status).toBe(200)
  })
})
