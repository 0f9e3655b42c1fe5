import { UserError } from '../../errors.ts'
import { isOfCluster, leftoversOf, whyKept } from '../../insight/replacements/leftovers.ts'
import type { Leftover } from '../../insight/replacements/leftovers.ts'
import { clusterIds, readOwners } from '../../insight/replacements/owners.ts'
import type { Owners } from '../../insight/replacements/owners.ts'
import { isTakenOver, TAKEN_OVER } from '../../migration/snapshot-restore/names.ts'
import type { MarkedRow } from '../../openstack/cinder-marked.ts'
import { confirmed } from '../confirm.ts'
import type { Asking } from '../confirm.ts'
import { booleanFlag } from '../flags.ts'
import type { CommandLine, Flags, FlagSpec } from '../flags.ts'
import { printable, table } from '../table.ts'
import type { Column } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import { deleteLeftover } from './delete-leftover.ts'
import type { DeletionDeps } from './delete-leftover.ts'

export const CLEAN_FLAGS = {
  'dry-run': { help: 'only list', default: 'false' },
  yes: { help: 'ask no question', default: 'false' },
} as const satisfies Record<string, FlagSpec>

export type CleanDeps = DeletionDeps &
  Asking & {
    /** All volumes, snapshots and backups of the project of which that holds. */
    readonly rows: (isMarked: (row: MarkedRow) => boolean) => Promise<readonly MarkedRow[]>
    readonly projectId: () => Promise<string>
    readonly terminal: Terminal
    readonly systemNamespace: string
  }

/** Throws `UserError` for flags that cannot be meant together. */
export function checkClean(_: readonly string[], flags: Flags): void {
  if (booleanFlag(flags, 'dry-run') && booleanFlag(flags, 'yes'))
    throw new UserError('FlagsInvalid', '--dry-run and --yes: one lists, the other deletes', {
      fix: 'leave one of them out',
    })
}

/**
 * Lists what moves of this cluster have left behind in Cinder, and deletes what is chosen: the ids given, or without any
 * all that certainly no claim ever had. Resolves to the exit code: 1 when something stays.
 */
export async function runClean({ flags, words }: CommandLine, deps: CleanDeps): Promise<number> {
  const { terminal, kube } = deps
  const ids = await clusterIds(kube, deps.systemNamespace)
  if (ids.size === 0)
    throw new UserError(
      'PermissionMissing',
      `neither namespace kube-system nor Lease ${deps.systemNamespace}/couchestor-controller can be read, so it is not known what is of this cluster`,
      { fix: 'run it as an account that may get one of them' },
    )
  // Cinder first: what a move has made since then is not in it
  const rows = await deps.rows((row) => isOfCluster(ids, row))
  const owners = await readOwners(kube)
  checkReadable(owners)
  const found = leftoversOf(ids, rows, owners)
  const chosen = chosenOf(words, { found, rows, owners })
  if (found.length === 0) {
    terminal.out(`no move has left anything in project ${await deps.projectId()}\n`)
    return 0
  }
  terminal.out(table(COLUMNS, found, terminal.columns))
  const unproven = found.filter((one) => !chosen.includes(one) && !one.neverUsed)
  if (words.length === 0 && unproven.length > 0) terminal.note(`${UNPROVEN}\n`)
  for (const one of found.filter((row) => isTakenOver(row, row)))
    terminal.note(
      `${one.kind} ${one.id} has been taken over by a claim (metadata ${TAKEN_OVER}), and may have its newest data: compare it before you delete it\n`,
    )
  if (booleanFlag(flags, 'dry-run') || chosen.length === 0) return 1
  const isYes = await confirmed(
    `Delete ${chosen.length === 1 ? `${chosen[0]?.kind} ${chosen[0]?.id}` : `${chosen.length} of them`} in Cinder?`,
    booleanFlag(flags, 'yes'),
    deps,
  )
  if (!isYes) return 1
  let done = 0
  for (const one of chosen) {
    const became = await deleteLeftover(one, ids, deps)
    terminal.out(printable(`${one.kind} ${one.id} (${one.name}) ${became.text}`) + '\n')
    if (became.done) done++
  }
  return done === found.length ? 0 : 1
}

const UNPROVEN =
  'A volume marked with ? may have been that of a claim, and hold its data: it is deleted only if you name its id'

/** A record that cannot be read may be that of anything. */
function checkReadable({ unreadable }: Owners): void {
  const [first] = unreadable
  if (first === undefined) return
  throw new UserError(
    'RecordUnreadable',
    `TieringCheckpoint ${first.name} cannot be read (${first.why}), so it is not known what belongs to its move`,
    { fix: 'correct it first: docs/runbooks/replacement-stalled.md' },
  )
}

type Seen = {
  readonly found: readonly Leftover[]
  readonly rows: readonly MarkedRow[]
  readonly owners: Owners
}

function chosenOf(ids: readonly string[], { found, rows, owners }: Seen): readonly Leftover[] {
  if (ids.length === 0) return found.filter((one) => one.neverUsed)
  for (const id of ids.filter((wanted) => !found.some((one) => one.id === wanted))) {
    const row = rows.find((r) => r.id === id)
    throw new UserError(
      'NotFound',
      row === undefined
        ? `"${id}" is no volume, snapshot or backup that a move of this cluster made`
        : `${row.kind} ${id} is not left over: ${whyKept(row, owners)}`,
      { fix: 'see couchestor clean --dry-run' },
    )
  }
  return found.filter((one) => ids.includes(one.id))
}

const COLUMNS: readonly Column<Leftover>[] = [
  { title: 'KIND', of: (one) => (one.neverUsed ? one.kind : `${one.kind} ?`) },
  { title: 'ID', of: (one) => one.id },
  { title: 'GIB', of: (one) => String(one.sizeGiB), right: true },
  { title: 'STATUS', of: (one) => (one.attached ? `${one.status}, attached` : one.status) },
  { title: 'CREATED', of: (one) => one.createdAt.replace(/\.\d+Z$/, 'Z') },
  { title: 'MOVE', of: (one) => one.move ?? one.moveUid },
  { title: 'NAME', of: (one) => one.name },
]
