import { Audit } from '../audit/audit.ts'
import { auditedCopies } from './audited-copies.ts'
import { auditedKube } from './audited-kube.ts'
import { auditedVolumes } from './audited-volumes.ts'
import type { ControllerDeps, OutsideDeps } from './deps.ts'
import type { Watches } from './view/watches.ts'

/**
 * Puts the audit between the controller and its clients. The elector and the recorder of events have clients of their
 * own: leases and events are not audited. `watches` is asked once calls are made.
 */
export function audited(outside: OutsideDeps, watches: () => Watches): ControllerDeps {
  const { auditSink: sink, clock, processClock, elector, uuid } = outside
  const audit = new Audit({
    sink,
    clock,
    processClock,
    observer: {
      get epoch() {
        return elector.epoch
      },
      generationOf: (name) => watches().policies.store.get(name)?.policy.metadata.generation,
    },
  })
  const parts = { audit, uuid, watches, fence: () => elector.fence() }
  return {
    ...outside,
    audit,
    kube: auditedKube(outside.kube, parts),
    volumes: auditedVolumes(outside.volumes, audit),
    copies: auditedCopies(outside.copies, audit),
  }
}
