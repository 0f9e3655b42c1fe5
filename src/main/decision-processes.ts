import { readCommandLine } from '../cli/command-line.ts'
import type { CommandLine } from '../cli/command-line.ts'
import type { DecisionDeps } from '../cli/approve/decision.ts'
import {
  APPROVE_FLAGS,
  CANCEL_FLAGS,
  PAUSE_FLAGS,
  RESUME_FLAGS,
  runApprove,
  runCancel,
  runPause,
} from '../cli/approve/run-decision.ts'
import { whoAmI } from '../cli/approve/who.ts'
import { helpOf } from '../cli/flags.ts'
import type { FlagSpec } from '../cli/flags.ts'
import { createEventRecorder } from '../kube/events.ts'
import { silentLog } from '../log.ts'
import { CLUSTER_FLAGS, clusterClient } from './cluster-clients.ts'
import type { Command } from './command.ts'
import { systemClock } from './system-clock.ts'
import { systemTerminal } from './system-terminal.ts'

type Words = {
  readonly least: number
  readonly most: number
  readonly usage: string
  /** For the first line of the help. */
  readonly shown: string
}

/** The commands by which a person says yes, no, wait and go on. */
export const DECISION_COMMANDS: Readonly<Record<string, Command>> = {
  approve: command(
    'approve',
    'Says yes to a move that waits for it (mode Approve); your name stays on record.',
    APPROVE_FLAGS,
    {
      least: 0,
      most: 1,
      usage: 'the name of a VolumeMigration, or --policy NAME --all',
      shown: '[VMIG]',
    },
    runApprove,
  ),
  cancel: command(
    'cancel',
    'Takes back a move that has not begun.',
    CANCEL_FLAGS,
    { least: 1, most: 1, usage: 'the name of a VolumeMigration', shown: 'VMIG' },
    runCancel,
  ),
  pause: command(
    'pause',
    'Keeps a policy or a claim from new moves; what runs is finished.',
    PAUSE_FLAGS,
    { least: 1, most: 1, usage: 'POLICY or pvc/NAME', shown: 'POLICY|pvc/NAME' },
    (line, deps) => runPause(line, true, deps),
  ),
  resume: command(
    'resume',
    'Ends a pause.',
    RESUME_FLAGS,
    { least: 1, most: 1, usage: 'POLICY or pvc/NAME', shown: 'POLICY|pvc/NAME' },
    (line, deps) => runPause(line, false, deps),
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
    help: () => helpOf(`${name} ${words.shown}`, about, specs),
    run: async (args) => {
      const line = readCommandLine(name, args, specs, words)
      const kube = await clusterClient(line.flags)
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
