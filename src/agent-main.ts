import './main/node-version.ts'
import { AGENT_COMMAND } from './main/agent-command.ts'
import { runProgram } from './main/run-program.ts'

// the agent in a file of its own: it runs on every node, and Node.js keeps the source of all that stands in a file
await runProgram({ agent: AGENT_COMMAND })
