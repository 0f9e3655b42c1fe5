import { createLog } from './log.ts'

createLog('info').error({ argv: process.argv.slice(2) }, 'no subcommand is built in yet')
process.exitCode = 1
