import { helpOf } from '../cli/help.ts'
import type { Command } from './command.ts'
import { becomeLeanAgent } from './lean-agent.ts'

const ABOUT = 'Counts the I/O of each Cinder volume of its node, for Prometheus.'

export const AGENT_COMMAND: Command = {
  about: ABOUT,
  help: async (width) =>
    helpOf('agent', ABOUT, (await import('./agent-process.ts')).AGENT_FLAGS, width),
  run: async (args) => {
    becomeLeanAgent(args)
    return (await import('./agent-process.ts')).runAgent(args)
  },
}
