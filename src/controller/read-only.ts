import { Audit } from '../audit/audit.ts'
import type { KubeClient } from '../kube/types.ts'
import { kubeReads, volumeReads } from './client-reads.ts'
import type { ControllerDeps, OutsideDeps } from './deps.ts'

export type ReadingDeps = Omit<
  OutsideDeps,
  'copies' | 'elector' | 'events' | 'uuid' | 'namespace' | 'auditSink'
>

/** What a read-only command has: every call that would change something throws before anything is sent. */
export function readOnly(deps: ReadingDeps): ControllerDeps {
  const { kube, volumes, clock, processClock } = deps
  const observer = { epoch: 0, generationOf: () => undefined }
  const audit = new Audit({ sink: { write: refuse }, clock, processClock, observer })
  const reading: KubeClient = {
    ...kubeReads(kube),
    create: refuse,
    patch: refuse,
    replace: refuse,
    delete: refuse,
  }
  return {
    ...deps,
    audit,
    kube: { audit, ...reading, about: () => reading, givingBack: () => reading },
    volumes: {
      audit,
      ...volumeReads(volumes),
      retype: refuse,
    },
    // no command asks about copies
    copies: {
      audit,
      getVolume: refuse,
      getSnapshot: refuse,
      volumesNamed: refuse,
      snapshotsNamed: refuse,
      snapshotsOf: refuse,
      createSnapshot: refuse,
      createFromSnapshot: refuse,
      deleteSnapshot: refuse,
      deleteVolume: refuse,
      setMetadata: refuse,
    },
    elector: {
      run: refuse,
      isLeader: false,
      elected: refuse,
      epoch: 0,
      leaseUid: undefined,
      fence: () => {
        throw new Error(REFUSAL)
      },
      healthy: () => true,
    },
    events: { event: () => {}, flush: () => Promise.resolve() },
    uuid: () => {
      throw new Error(REFUSAL)
    },
    namespace: '',
  }
}

const REFUSAL = 'this command only reads'

function refuse(): Promise<never> {
  return Promise.reject(new Error(REFUSAL))
}
