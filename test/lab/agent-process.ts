import { startMetricsProcess } from './metrics-process.ts'
import type { MetricsProcess } from './metrics-process.ts'

export type { MetricsProcess as AgentProcess } from './metrics-process.ts'
export {
  buildBundles as buildAgent,
  stopMetricsProcesses as stopAgents,
} from './metrics-process.ts'

/** Starts `couchestor agent` with these flags, on a free port; resolves when it serves. */
export function startAgent(folder: string, flags: readonly string[]): Promise<MetricsProcess> {
  return startMetricsProcess(folder, ['agent', ...flags])
}
