import { helpOf } from '../cli/help.ts'
import { AGENT_COMMAND } from './agent-command.ts'
import type { Command } from './command.ts'
import { forPeople } from './for-people.ts'

const BACKTEST_ABOUT =
  'Replays recorded load, or your own history, and reports what tiering would have cost and saved.'
const CONTROLLER_ABOUT = 'Keeps every managed volume on the most cost-effective tier.'
const EXPORTER_ABOUT = 'Shows what Gnocchi counts of each attached volume, for Prometheus.'
const PLAN_ABOUT =
  'Shows what would move now, why, in which order, and what is in the way. Changes nothing.'
const EXPLAIN_ABOUT =
  'Explains why the volume of one claim is where it is: usage, costs, guards, and what would change it. Changes nothing.'
const QUOTA_ABOUT =
  'Shows what the quota of each tier has and what the plan needs, and proposes limits. Changes nothing.'
const DOCTOR_ABOUT =
  'Checks installation, cloud, usage numbers and claims: what is wrong, why it matters, how to fix it. Changes nothing.'
const AUDIT_ABOUT =
  'Shows what the audit has about one claim: who moved it, when, and what became of it.'
const TASKS_ABOUT =
  'Shows what the controller does again and again: when it last ran, failed, and runs next. Changes nothing.'
const CLEAN_ABOUT =
  'Lists volumes, snapshots and backups that moves left in Cinder and nothing knows of, and deletes what you choose.'
const DEMO_ABOUT = 'Plays a day of a fleet against simulated services, in a minute.'

/**
 * A command loads what it needs when it is asked for: an agent on every node must not hold the controller in memory.
 * Subcommands by name, in the order in which help lists them.
 */
export const COMMANDS: Readonly<Record<string, Command>> = {
  controller: {
    about: CONTROLLER_ABOUT,
    help: async (width) =>
      helpOf(
        'controller',
        CONTROLLER_ABOUT,
        (await import('./controller-process.ts')).CONTROLLER_FLAGS,
        width,
      ),
    run: async (args) => (await import('./controller-process.ts')).runController(args),
  },
  agent: AGENT_COMMAND,
  exporter: {
    about: EXPORTER_ABOUT,
    help: async (width) =>
      helpOf(
        'exporter',
        EXPORTER_ABOUT,
        (await import('./exporter-process.ts')).EXPORTER_FLAGS,
        width,
      ),
    run: async (args) => (await import('./exporter-process.ts')).runExporter(args),
  },
  backtest: {
    about: BACKTEST_ABOUT,
    help: async (width) =>
      helpOf(
        'backtest',
        BACKTEST_ABOUT,
        (await import('./backtest-process.ts')).BACKTEST_COMMAND_FLAGS,
        width,
      ),
    run: (args) =>
      forPeople(async () => (await import('./backtest-process.ts')).runBacktestCommand(args)),
  },
  demo: {
    about: DEMO_ABOUT,
    help: async (width) =>
      helpOf('demo', DEMO_ABOUT, (await import('./demo-process.ts')).DEMO_FLAGS, width),
    run: (args) => forPeople(async () => (await import('./demo-process.ts')).runDemoCommand(args)),
  },
  plan: {
    about: PLAN_ABOUT,
    help: async (width) =>
      helpOf('plan', PLAN_ABOUT, (await import('./plan-process.ts')).PLAN_COMMAND_FLAGS, width),
    run: (args) => forPeople(async () => (await import('./plan-process.ts')).runPlanCommand(args)),
  },
  explain: {
    about: EXPLAIN_ABOUT,
    help: async (width) =>
      helpOf(
        'explain pvc/NAME',
        EXPLAIN_ABOUT,
        (await import('./explain-process.ts')).EXPLAIN_COMMAND_FLAGS,
        width,
      ),
    run: (args) =>
      forPeople(async () => (await import('./explain-process.ts')).runExplainCommand(args)),
  },
  quota: {
    about: QUOTA_ABOUT,
    help: async (width) =>
      helpOf('quota', QUOTA_ABOUT, (await import('./quota-process.ts')).QUOTA_COMMAND_FLAGS, width),
    run: (args) =>
      forPeople(async () => (await import('./quota-process.ts')).runQuotaCommand(args)),
  },
  doctor: {
    about: DOCTOR_ABOUT,
    help: async (width) =>
      helpOf(
        'doctor',
        DOCTOR_ABOUT,
        (await import('./doctor-process.ts')).DOCTOR_COMMAND_FLAGS,
        width,
      ),
    run: (args) =>
      forPeople(async () => (await import('./doctor-process.ts')).runDoctorCommand(args)),
  },
  audit: {
    about: AUDIT_ABOUT,
    help: async (width) =>
      helpOf(
        'audit pvc/NAME',
        AUDIT_ABOUT,
        (await import('../cli/audit/run-audit.ts')).AUDIT_FLAGS,
        width,
      ),
    run: (args) =>
      forPeople(async () => (await import('./audit-process.ts')).runAuditCommand(args)),
  },
  tasks: {
    about: TASKS_ABOUT,
    help: async (width) =>
      helpOf('tasks', TASKS_ABOUT, (await import('./tasks-process.ts')).TASKS_COMMAND_FLAGS, width),
    run: (args) =>
      forPeople(async () => (await import('./tasks-process.ts')).runTasksCommand(args)),
  },
  approve: decision(
    'approve',
    'Approves a pending move (mode Approve); your user name is recorded.',
  ),
  cancel: decision(
    'cancel',
    'Cancels a move that has not begun, or whose copy has not taken over yet.',
  ),
  rollback: decision(
    'rollback',
    'Gives a claim its former volume back while its move soaks; what was written since is lost.',
  ),
  clean: {
    about: CLEAN_ABOUT,
    help: async (width) =>
      helpOf(
        'clean [ID...]',
        CLEAN_ABOUT,
        (await import('./clean-process.ts')).CLEAN_COMMAND_FLAGS,
        width,
      ),
    run: (args) =>
      forPeople(async () => (await import('./clean-process.ts')).runCleanCommand(args)),
  },
  pause: decision('pause', 'Stops new moves of a policy or a claim; running ones are finished.'),
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
    help: async (width) => (await load()).help(width),
    run: (args) => forPeople(async () => (await load()).run(args)),
  }
}
