import { CINDER_RETYPE } from '../migration/retype/strategy.ts'
import { replacePreflight } from '../migration/snapshot-restore/preflight.ts'
import { bindStrategy } from './moving/adapter.ts'
import type { RegisteredStrategy } from './moving/registered.ts'
import { RetypeAdapter } from './moving/retype-adapter.ts'
import { ReplaceAdapter } from './replacing/replace-adapter.ts'
import { recorded } from './replacing/recorded.ts'

/** Every strategy of this version, a line each. What is not here is refused, and nothing else is done in its place. */
export const STRATEGIES: readonly RegisteredStrategy[] = [
  {
    name: CINDER_RETYPE.name,
    bind: (ports) => bindStrategy(CINDER_RETYPE, new RetypeAdapter(ports)),
  },
  {
    name: 'snapshot-restore',
    bind: (ports) => recorded(new ReplaceAdapter(ports), replacePreflight),
  },
]
