import { readCommandLine } from '../cli/flags.ts'
import type { CommandLine, FlagSpec, Words as CliWords } from '../cli/flags.ts'
import { helpOf } from '../cli/help.ts'
import type { DecisionDeps } from '../cli/approve/decision.ts'
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
import { whoAmI } from '../insight/who.ts'
import { createEventRecorder } from '../kube/events.ts'
import { silentLog } from '../log.ts'
import { clusterClient } from './cluster-clients.ts'
import { CLUSTER_FLAGS } from './cluster-flags.ts'
import type { Command } from './command.ts'
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

/** The commands approve, cancel, pause and resume. */
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
    'Cancels a move that has not begun.',
    CANCEL_FLAGS,
    { least: 1, most: 1, usage: 'the name of a VolumeMigration', shown: 'VMIG' },
    runCancel,
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
  run: (line: CommandLine, deps: DecisionDeps) => Promise<number>,
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
      const deps: DecisionDeps = {
        kube,
        events,
        clock: systemClock,
        terminal: systemTerminal,
        namespace,
        who,
        why: line.flags['reason'],
      }
      const code = await run(line, deps)
      await events.flush()
      await kube.close()
      return code
    },
  }
}
