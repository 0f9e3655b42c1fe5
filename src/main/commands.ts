import { runBacktestCommand } from './backtest-process.ts'
import { BACKTEST_FLAGS } from '../cli/backtest/command.ts'
import { CONTROLLER_FLAGS, runController } from './controller-process.ts'
import { DEMO_FLAGS, runDemoCommand } from './demo-process.ts'
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
const DEMO_ABOUT = 'Plays a day of a fleet against simulated services, in a minute.'

/** Subcommands by name, in the order in which help lists them. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  controller: {
    about: CONTROLLER_ABOUT,
    help: () => helpOf('controller', CONTROLLER_ABOUT, CONTROLLER_FLAGS),
    run: runController,
  },
  backtest: {
    about: BACKTEST_ABOUT,
    help: () => helpOf('backtest', BACKTEST_ABOUT, BACKTEST_FLAGS),
    run: runBacktestCommand,
  },
  demo: {
    about: DEMO_ABOUT,
    help: () => helpOf('demo', DEMO_ABOUT, DEMO_FLAGS),
    run: runDemoCommand,
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
