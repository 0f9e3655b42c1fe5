import { readCommandLine } from '../cli/flags.ts'
import type { CommandLine, FlagSpec, Words as CliWords } from '../cli/flags.ts'
import { helpOf } from '../cli/help.ts'
import {
  APPROVE_FLAGS,
  checkApprove,
  CANCEL_FLAGS,
  PAUSE_FLAGS,
  RESUME_FLAGS,
  runApprove,
  runCancel,
  runPause,
} from '../cli/approve/run-decision.ts'
import { checkPause } from '../cli/approve/pause.ts'
import { checkClaim } from '../cli/rollback/claim-word.ts'
import { ROLLBACK_FLAGS, runRollback } from '../cli/rollback/run-rollback.ts'
import type { RollbackDeps } from '../cli/rollback/run-rollback.ts'
import { whoAmI } from '../insight/who.ts'
import { createEventRecorder } from '../kube/events.ts'
import { silentLog } from '../log.ts'
import { clusterClient } from './cluster-clients.ts'
import { CLUSTER_FLAGS } from './cluster-flags.ts'
import type { Command } from './command.ts'
import { systemAsk } from './system-ask.ts'
import { systemClock } from './system-clock.ts'
import { systemTerminal } from './system-terminal.ts'

type Words = CliWords & {
  /** For the first line of the help. */
  readonly shown: string
}

const PAUSABLE: Words = {
  least: 1,
  most: 1,
  usage: 'POLICY or pvc/NAME',
  shown: 'POLICY|pvc/NAME',
  check: checkPause,
}

/** The commands approve, cancel, rollback, pause and resume. */
export const DECISION_COMMANDS: Readonly<Record<string, Command>> = {
  approve: command(
    'approve',
    'Approves a pending move (mode Approve); your user name is recorded.',
    APPROVE_FLAGS,
    {
      least: 0,
      most: 1,
      usage: 'the name of a VolumeMigration, or --policy NAME --all',
      shown: '[VMIG]',
      check: checkApprove,
    },
    runApprove,
  ),
  cancel: command(
    'cancel',
    'Cancels a move that has not begun, or whose copy has not taken over yet.',
    CANCEL_FLAGS,
    { least: 1, most: 1, usage: 'the name of a VolumeMigration', shown: 'VMIG' },
    runCancel,
  ),
  rollback: command(
    'rollback',
    'Gives a claim its former volume back while its move soaks; what was written since is lost.',
    ROLLBACK_FLAGS,
    { least: 1, most: 1, usage: 'NAMESPACE/CLAIM', shown: 'NAMESPACE/CLAIM', check: checkClaim },
    runRollback,
  ),
  pause: command(
    'pause',
    'Stops new moves of a policy or a claim; running ones are finished.',
    PAUSE_FLAGS,
    PAUSABLE,
    (line, deps) => runPause(line, true, deps),
  ),
  resume: command('resume', 'Ends a pause.', RESUME_FLAGS, PAUSABLE, (line, deps) =>
    runPause(line, false, deps),
  ),
}

function command(
  name: string,
  about: string,
  own: Readonly<Record<string, FlagSpec>>,
  words: Words,
  run: (line: CommandLine, deps: RollbackDeps) => Promise<number>,
): Command {
  const specs = { ...own, ...CLUSTER_FLAGS }
  return {
    about,
    help: (width) => helpOf(`${name} ${words.shown}`, about, specs, width),
    run: async (args) => {
      const line = readCommandLine(name, args, specs, words)
      const { kube, namespace } = await clusterClient(line.flags)
      const events = createEventRecorder({
        client: kube,
        clock: systemClock,
        log: silentLog,
        instance: 'couchestor-cli',
      })
      const who = await whoAmI(kube)
      const deps: RollbackDeps = {
        kube,
        events,
        clock: systemClock,
        terminal: systemTerminal,
        namespace,
        who,
        why: line.flags['reason'],
        ask: systemAsk,
      }
      const code = await run(line, deps)
      await events.flush()
      await kube.close()
      return code
    },
  }
}
