import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { command } from './command.ts'
import { theLab } from './env.ts'

const LAB = fileURLToPath(new URL('lab', import.meta.url))

/** One of the lab's processes, as in its state directory `pids/`. */
export type LabProcess =
  | 'etcd'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'cinder-csi-plugin'
  | 'csi-provisioner'
  | 'csi-snapshotter'
  | 'csi-attacher'
  | 'snapshot-controller'
  | 'keystone'
  | 'cinder-api'
  | 'cinder-scheduler'
  | 'cinder-volume'
  | 'cinder-backup'
  | 'mariadb'
  | 'rabbitmq'
  | 'nova-api_os_compute'
  | 'nova-compute'
  | 'gnocchi-api'
  | 'gnocchi-metricd'
  | 'prometheus'

/**
 * Sends a signal to the whole group of one of the lab's processes, at once. After SIGSTOP send SIGCONT, after SIGKILL call
 * `restart`: the lab belongs to the tests that come after. Throws when the process is not the one that the lab started.
 */
export function signal(name: LabProcess, sig: NodeJS.Signals): void {
  const pid = pidOf(name)
  if (pid === undefined) throw new Error(`${name} is not running`)
  process.kill(-pid, sig)
}

/** Suspended counts as running. */
export function isRunning(name: LabProcess): boolean {
  return pidOf(name) !== undefined
}

/** undefined when the process is not the one that the lab started. */
function pidOf(name: LabProcess): number | undefined {
  const file = join(theLab().state, 'pids', name)
  if (!existsSync(file)) return undefined
  const [pid, start] = readFileSync(file, 'utf8').trim().split(' ')
  return startTime(Number(pid)) === start ? Number(pid) : undefined
}

/** Stops the process if it still runs, starts it as the lab did, and waits until it is ready. */
export async function restart(name: LabProcess): Promise<void> {
  const env = { COUCHESTOR_LAB_DIR: theLab().state }
  // the lab itself knows best how long each may take
  await command(LAB, ['restart', name], { env, timeoutMs: 240_000 })
}

function startTime(pid: number): string | undefined {
  try {
    // the command's name, in brackets, may hold blanks
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')[19]
  } catch {
    return undefined
  }
}
