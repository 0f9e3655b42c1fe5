import { helpOf } from '../cli/flags.ts'
import { AGENT_COMMAND } from './agent-command.ts'
import type { Command } from './command.ts'

const BACKTEST_ABOUT =
  'Replays recorded load, or the own history, and tells what deciding would have cost and saved.'
const CONTROLLER_ABOUT = 'Keeps every managed volume on the tier that is worth its money.'
const EXPORTER_ABOUT = 'Shows what Gnocchi counts of each attached volume, for Prometheus.'
const PLAN_ABOUT =
  'Tells what would be moved now, why, in which order, and what is in the way. Changes nothing.'
const EXPLAIN_ABOUT =
  'Tells why the volume of one claim is where it is: usage, costs, guards, and what would change it. Changes nothing.'
const DOCTOR_ABOUT =
  'Looks at installation, cloud, usage numbers and claims: what is wrong, why it matters, how to mend it. Changes nothing.'
const DEMO_ABOUT = 'Plays a day of a fleet against simulated services, in a minute.'

/**
 * A command loads what it needs when it is asked for: an agent on every node must not hold the controller in memory.
 * Subcommands by name, in the order in which help lists them.
 */
export const COMMANDS: Readonly<Record<string, Command>> = {
  controller: {
    about: CONTROLLER_ABOUT,
    help: async () =>
      helpOf(
        'controller',
        CONTROLLER_ABOUT,
        (await import('./controller-process.ts')).CONTROLLER_FLAGS,
      ),
    run: async (args) => (await import('./controller-process.ts')).runController(args),
  },
  agent: AGENT_COMMAND,
  exporter: {
    about: EXPORTER_ABOUT,
    help: async () =>
      helpOf('exporter', EXPORTER_ABOUT, (await import('./exporter-process.ts')).EXPORTER_FLAGS),
    run: async (args) => (await import('./exporter-process.ts')).runExporter(args),
  },
  backtest: {
    about: BACKTEST_ABOUT,
    help: async () =>
      helpOf(
        'backtest',
        BACKTEST_ABOUT,
        (await import('../cli/backtest/command.ts')).BACKTEST_FLAGS,
      ),
    run: async (args) => (await import('./backtest-process.ts')).runBacktestCommand(args),
  },
  demo: {
    about: DEMO_ABOUT,
    help: async () => helpOf('demo', DEMO_ABOUT, (await import('./demo-process.ts')).DEMO_FLAGS),
    run: async (args) => (await import('./demo-process.ts')).runDemoCommand(args),
  },
  plan: {
    about: PLAN_ABOUT,
    help: async () =>
      helpOf(
        'plan',
        (await import('../cli/plan/run-plan.ts')).PLAN_ABOUT,
        (await import('./plan-process.ts')).PLAN_COMMAND_FLAGS,
      ),
    run: async (args) => (await import('./plan-process.ts')).runPlanCommand(args),
  },
  explain: {
    about: EXPLAIN_ABOUT,
    help: async () =>
      helpOf(
        'explain pvc/NAME',
        (await import('../cli/explain/run-explain.ts')).EXPLAIN_ABOUT,
        (await import('./explain-process.ts')).EXPLAIN_COMMAND_FLAGS,
      ),
    run: async (args) => (await import('./explain-process.ts')).runExplainCommand(args),
  },
  doctor: {
    about: DOCTOR_ABOUT,
    help: async () =>
      helpOf('doctor', DOCTOR_ABOUT, (await import('./doctor-process.ts')).DOCTOR_COMMAND_FLAGS),
    run: async (args) => (await import('./doctor-process.ts')).runDoctorCommand(args),
  },
  approve: decision(
    'approve',
    'Says yes to a move that waits for it (mode Approve); your name stays on record.',
  ),
  cancel: decision('cancel', 'Takes back a move that has not begun.'),
  pause: decision('pause', 'Keeps a policy or a claim from new moves; what runs is finished.'),
  resume: decision('resume', 'Ends a pause.'),
}

function decision(name: string, about: string): Command {
  const load = async (): Promise<Command> => {
    const command = (await import('./decision-processes.ts')).DECISION_COMMANDS[name]
    if (command === undefined) throw new Error(`no decision command ${name}`)
    return command
  }
  return {
    about,
    help: async () => (await load()).help(),
    run: async (args) => (await load()).run(args),
  }
}
