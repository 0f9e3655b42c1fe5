import { cinderAs } from './broken.fixture.ts'
import { nextReplaceStep } from './machine.ts'
import { metadataOf, nameOf, RESTORED_FROM } from './names.ts'
import type { Machine } from './state-space.fixture.ts'
import type { Origin } from './saved.ts'
import type { VolumeSeen } from './sight.ts'

/** What is seen of the volume that is made of the backup. */
function restoredAs(change: (v: VolumeSeen, origin: Origin) => readonly VolumeSeen[]): Machine {
  return cinderAs(({ copies }, { saved: { origin } }) => ({
    copies: copies.flatMap((v) => {
      const isIt = v.name === nameOf(origin, 'restoreBackup') && Object.keys(v.metadata).length > 0
      return isIt ? change(v, origin) : [v]
    }),
  }))
}

/** Machines that have to be found where moves go by backup. */
export const BROKEN_BY_BACKUP: readonly (readonly [string, Machine])[] = [
  [
    'takes any new volume for that of the backup',
    restoredAs((v) => [{ ...v, metadata: { ...v.metadata, [RESTORED_FROM]: 'backup' } }]),
  ],
  [
    'leaves the metadata of the clone on the new volume',
    restoredAs((v, origin) => [
      { ...v, metadata: { ...v.metadata, ...metadataOf(origin, 'restoreBackup') } },
    ]),
  ],
  [
    'does not know its new volume by the metadata of the clone',
    restoredAs((v, origin) => {
      const { 'couchestor.io/role': own } = metadataOf(origin, 'restoreBackup')
      return v.metadata['couchestor.io/role'] === own ? [v] : []
    }),
  ],
  [
    'gives the claim the clone in place of the new volume',
    (input) => {
      const { via: _via, ...origin } = input.saved.origin
      const next = nextReplaceStep({ ...input, saved: { ...input.saved, origin } })
      // what is saved keeps the way
      return next.kind === 'save'
        ? { ...next, saved: { ...next.saved, origin: input.saved.origin } }
        : next
    },
  ],
  [
    'waits for ever for a backup that never ends',
    (input) => nextReplaceStep({ ...input, saved: { ...input.saved, deadline: Infinity } }),
  ],
  [
    'forgets the backup',
    cinderAs((_, { saved }) => (saved.phase === 'CleaningUp' ? { backups: [] } : {})),
  ],
]
