import { CONTROLLER_FLAGS, runController } from './controller-process.ts'
import { helpOf } from '../cli/flags.ts'
import { PLAN_ABOUT } from '../cli/plan/run-plan.ts'
import { EXPLAIN_ABOUT } from '../cli/explain/run-explain.ts'
import type { Command } from './command.ts'
import { DECISION_COMMANDS } from './decision-processes.ts'
import { EXPLAIN_COMMAND_FLAGS, runExplainCommand } from './explain-process.ts'
import { PLAN_COMMAND_FLAGS, runPlanCommand } from './plan-process.ts'

const BACKTEST_ABOUT =
  'Replays recorded load, or the own history, and tells what deciding would have cost and saved.'
const CONTROLLER_ABOUT = 'Keeps every managed volume on the tier that is worth its money.'
const AGENT_ABOUT = 'Counts the I/O of each Cinder volume of its node, for Prometheus.'
const DEMO_ABOUT = 'Plays a day of a fleet against simulated services, in a minute.'

/**
 * What a controller never needs (simulators, replay) is loaded only when it is asked for.
 * Subcommands by name, in the order in which help lists them.
 */
export const COMMANDS: Readonly<Record<string, Command>> = {
  controller: {
    about: CONTROLLER_ABOUT,
    help: () => helpOf('controller', CONTROLLER_ABOUT, CONTROLLER_FLAGS),
    run: runController,
  },
  agent: {
    about: AGENT_ABOUT,
    help: async () =>
      helpOf('agent', AGENT_ABOUT, (await import('./agent-process.ts')).AGENT_FLAGS),
    run: async (args) => (await import('./agent-process.ts')).runAgent(args),
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
    help: () => helpOf('plan', PLAN_ABOUT, PLAN_COMMAND_FLAGS),
    run: runPlanCommand,
  },
  explain: {
    about: EXPLAIN_ABOUT,
    help: () => helpOf('explain pvc/NAME', EXPLAIN_ABOUT, EXPLAIN_COMMAND_FLAGS),
    run: runExplainCommand,
  },
  ...DECISION_COMMANDS,
}
