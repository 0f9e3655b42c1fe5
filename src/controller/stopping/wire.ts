import type { ControllerDeps } from '../deps.ts'
import type { RecordBook } from '../moving/recorded-strategy.ts'
import type { Migrations } from '../view/migrations.ts'
import type { Policies } from '../view/policies.ts'
import type { Claim } from '../view/projections.ts'
import type { Term } from '../view/term.ts'
import { StopFollower } from './follower.ts'
import { Notices } from './notices.ts'
import { WorkloadPort } from './port.ts'
import { Stops } from './stop.ts'
import { Stopper } from './stopper.ts'
import { Strays } from './strays.ts'

/** What a leader has to stop workloads, and to bring them back. */
export function stopping(parts: {
  readonly deps: ControllerDeps
  readonly policies: Policies
  readonly migrations: Migrations
  readonly records: Pick<RecordBook, 'of' | 'follow'>
  readonly term: Term
  readonly claim: (key: string) => Claim | undefined
  /** A stop has been saved; uid of its move. */
  readonly onOpen: (moveUid: string) => void
  /** Asks that move again (`namespace/name`). */
  readonly wakeMove: (key: string) => void
}) {
  const { deps, policies, migrations, records, term, claim, onOpen, wakeMove } = parts
  const stops = new Stops(deps.kube, () => deps.elector.fence(), deps.clock, onOpen)
  const port = new WorkloadPort({ deps, policies, stops })
  const notices = new Notices(deps.events, claim)
  const common = { deps, stops, port, migrations, notices, term }
  return {
    stops,
    stopper: new Stopper(common),
    strays: new Strays({ deps, policies, stops }),
    stopFollower: new StopFollower({ ...common, records, wakeMove }),
  } as const
}
