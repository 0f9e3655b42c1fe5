import './main/node-version.ts'
import { COMMANDS } from './main/commands.ts'
import { runProgram } from './main/run-program.ts'

await runProgram(COMMANDS)
