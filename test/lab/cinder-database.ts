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

async function cinderSql(statement: string): Promise<void> {
  const socket = join(theLab().state, 'mariadb', 'sock')
  const args = ['--no-defaults', '--user=root', `--socket=${socket}`, 'cinder']
  await command('mysql', [...args, '-e', statement])
}
