import { join } from 'node:path'
import { command } from './command.ts'
import { theLab } from './env.ts'

/** Makes volumes as old as their back-filled history: Cinder's API has no way to say so, its database has. */
export async function ageVolumes(ids: readonly string[], days: number): Promise<void> {
  for (const id of ids) if (!/^[0-9a-f-]{36}$/.test(id)) throw new Error(`no volume id: ${id}`)
  const list = ids.map((id) => `'${id}'`).join(',')
  const set = `created_at = utc_timestamp() - interval ${Math.trunc(days)} day`
  const socket = join(theLab().state, 'mariadb', 'sock')
  const args = ['--no-defaults', '--user=root', `--socket=${socket}`, 'cinder']
  await command('mysql', [...args, '-e', `update volumes set ${set} where id in (${list})`])
}
