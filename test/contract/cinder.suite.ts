import { afterAll, beforeAll, describe } from 'vitest'
import { accessCases } from './cinder-access.cases.ts'
import { apiCases } from './cinder-api.cases.ts'
import { backupCases } from './cinder-backups.cases.ts'
import { copyCases } from './cinder-copies.cases.ts'
import { attachmentCases } from './cinder-attachment.cases.ts'
import { listCases } from './cinder-list.cases.ts'
import { quotaCases } from './cinder-quota.cases.ts'
import { retypeCases } from './cinder-retype.cases.ts'
import { snapshotCases } from './cinder-snapshot.cases.ts'
import { openCinder } from './cinder-fixture.ts'
import type { CinderFixture } from './cinder-fixture.ts'
import type { CloudTarget } from './cloud-target.ts'

/** What CoucheStor relies on in Cinder, tried over HTTP; the same for the simulator and the real service. `block` is the describe to use. */
export function cinderContract(
  name: string,
  open: () => Promise<CloudTarget>,
  block: typeof describe.skip = describe,
): void {
  block(`Cinder of ${name}`, () => {
    let fixture: CinderFixture | undefined
    const get = () => {
      if (!fixture) throw new Error('the fixture is not open')
      return fixture
    }
    beforeAll(async () => {
      fixture = await openCinder(await open())
    })
    afterAll(async () => {
      await fixture?.close()
    })
    apiCases(get)
    listCases(get)
    retypeCases(get)
    snapshotCases(get)
    copyCases(get)
    backupCases(get)
    attachmentCases(get)
    quotaCases(get)
    accessCases(get)
  })
}
