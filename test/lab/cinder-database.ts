import { join } from 'node:path'
import { command } from './command.ts'
import { theLab } from './env.ts'

/** Makes volumes as old as their back-filled history: Cinder's API has no way to say so, its database has. */
export async function ageVolumes(ids: readonly string[], days: number): Promise<void> {
  const set = `created_at = utc_timestamp() - interval ${Math.trunc(days)} day`
  await cinderSql(`update volumes set ${set} where id in (${listed(ids)})`)
}

/** Makes what volumes are attached by as old as that: numbers from before an attachment are another volume's. */
export async function ageAttachments(ids: readonly string[], days: number): Promise<void> {
  const set = `attach_time = utc_timestamp() - interval ${Math.trunc(days)} day`
  const where = `volume_id in (${listed(ids)}) and not deleted`
  await cinderSql(`update volume_attachment set ${set} where ${where}`)
}

function listed(ids: readonly string[]): string {
  for (const id of ids) if (!/^[0-9a-f-]{36}$/.test(id)) throw new Error(`no volume id: ${id}`)
  return ids.map((id) => `'${id}'`).join(',')
}

/** A volume or snapshot as Cinder's database has it. */
export type CinderRow = {
  readonly kind: 'volumes' | 'snapshots'
  readonly id: string
  readonly name: string
  readonly status: string
  readonly isDeleted: boolean
}

/** Every row that there is or ever was, of all projects, and those that the API does not show. */
export async function cinderRows(): Promise<readonly CinderRow[]> {
  const kinds = ['volumes', 'snapshots'] as const
  const columns = "id, ifnull(display_name, ''), ifnull(status, ''), deleted"
  const tables = await Promise.all(
    kinds.map(async (kind) => ({ kind, text: await cinderSql(`select ${columns} from ${kind}`) })),
  )
  return tables.flatMap(({ kind, text }) =>
    text.split('\n').flatMap((line) => {
      const [id = '', name = '', status = '', deleted] = line.split('\t')
      return id === '' ? [] : [{ kind, id, name, status, isDeleted: deleted !== '0' }]
    }),
  )
}

/** Columns between tabs, without their names. */
function cinderSql(statement: string): Promise<string> {
  const socket = join(theLab().state, 'mariadb', 'sock')
  const args = ['--no-defaults', '--user=root', `--socket=${socket}`, '--batch']
  return command('mysql', [...args, '--skip-column-names', 'cinder', '-e', statement])
}
