import { readFlags } from '../cli/flags.ts'
import { runTasks, TASKS_FLAGS } from '../cli/tasks/run-tasks.ts'
import { readsOnly } from '../cli/reads-only.ts'
import { clusterClient } from './cluster-clients.ts'
import { CLUSTER_FLAGS } from './cluster-flags.ts'
import { systemClock } from './system-clock.ts'
import { systemTerminal } from './system-terminal.ts'

export const TASKS_COMMAND_FLAGS = { ...TASKS_FLAGS, ...CLUSTER_FLAGS }

/** `couchestor tasks`. Resolves to the exit code. */
export async function runTasksCommand(args: readonly string[]): Promise<number> {
  const flags = readFlags('tasks', args, TASKS_COMMAND_FLAGS)
  const { kube } = await clusterClient(flags, (http) => readsOnly(http))
  const code = await runTasks(flags, { kube, clock: systemClock, terminal: systemTerminal })
  await kube.close()
  return code
}
