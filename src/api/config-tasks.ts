import { milliseconds } from './fields.ts'
import { key, section } from './keys.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const DAY = 24 * 60 * MINUTE

/** A row of the table of scheduled tasks: its usual time between two runs, and the bounds of it (ms). */
function every(usual: string, minMs: number, maxMs: number, meaning: string) {
  const check = section({
    every: key(milliseconds(minMs, maxMs), { default: usual, meaning }),
  })
  return key(check, { default: {} })
}

/** What the leader does again and again, by the name that metrics and `couchestor tasks` show. */
export const tasksSection = section({
  resources: every(
    '5m',
    MINUTE,
    DAY,
    "Lists the project's volumes and snapshots in Cinder: moves made by hand, what others put on the tiers, blocked claims. Limits in GiB wait when the list is older than three times this.",
  ),
  types: every('5m', MINUTE, DAY, 'Lists the volume types. They are read again before each move.'),
  pools: every(
    '5m',
    MINUTE,
    DAY,
    "Reads the free space of Cinder's pools, where `tiers.<name>.min_capacity_gb` asks for it.",
  ),
  approvals: every('5m', MINUTE, DAY, 'Asks the API server whether it checks who approves.'),
  halts: every('5m', MINUTE, DAY, 'Lifts halts that a person has explained.'),
  unreadable: every('5m', MINUTE, DAY, 'Reports VolumeMigrations that cannot be read, again.'),
  orphans: every(
    '30s',
    10 * SECOND,
    10 * MINUTE,
    'Follows moves in flight whose VolumeMigration was deleted, until their volumes rest.',
  ),
  quotas: every(
    '1h',
    10 * MINUTE,
    7 * DAY,
    "Compares what Cinder's quotas count with the volumes and snapshots that there are. Moves read the quotas by themselves.",
  ),
  workloads: every(
    '1h',
    10 * MINUTE,
    7 * DAY,
    'Looks for workloads with the mark of a stop that there is no record of, where a policy has `migration.workloads: Restart`.',
  ),
  finished: every('10m', MINUTE, DAY, 'Removes VolumeMigrations eight days after their end.'),
  checkpoints: every(
    '6h',
    10 * MINUTE,
    7 * DAY,
    'Removes the checkpoints of policies that have been gone for a day.',
  ),
  report: every(
    '5m',
    MINUTE,
    DAY,
    'Saves what `couchestor tasks` shows; a task that begins or ceases to fail is saved at once.',
  ),
})
