import type { VolumeMigration } from '../../api/volume-migration.ts'
import { messageOf } from '../../errors.ts'
import type { ControllerDeps } from '../deps.ts'
import type { Migrations } from '../view/migrations.ts'
import { isRefusal } from '../moving/refusals.ts'
import { keyOf } from '../view/watches.ts'

/** Deletes a planned move that nobody has written since it was read. A webhook that refuses it is no trouble of the others. */
export async function withdraw(
  { migrations, deps }: { readonly migrations: Migrations; readonly deps: ControllerDeps },
  m: VolumeMigration,
): Promise<'gone' | 'changed' | 'refused'> {
  try {
    return (await migrations.remove(m, { unchanged: true })) ? 'gone' : 'changed'
  } catch (e) {
    if (!isRefusal(e)) throw e
    deps.log.warn(
      { migration: keyOf(m), err: messageOf(e) },
      'a planned move that should give way could not be deleted',
    )
    return 'refused'
  }
}
