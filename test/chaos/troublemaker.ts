import { setTimeout as sleep } from 'node:timers/promises'
import { isRunning, restart, signal } from '../lab/processes.ts'
import type { LabProcess } from '../lab/processes.ts'
import type { Controllers } from './controllers.ts'
import { VICTIMS } from './plan.ts'
import type { How, Trouble, Victim } from './plan.ts'

/** Kills and suspends what the plan says, and brings it back. */
export class Troublemaker {
  readonly #controllers: Controllers
  readonly #note: (victim: Victim, how: How) => void
  /** One after the other: the lab does not restart two things at once, and what is down cannot be killed. */
  readonly #turns = new Map<Victim | 'restart', Promise<void>>()

  constructor(controllers: Controllers, note: (victim: Victim, how: How) => void) {
    this.#controllers = controllers
    this.#note = note
  }

  /** Resolves when the victim runs again. */
  strike({ victim, how, downMs }: Trouble): Promise<void> {
    return this.#inTurn(victim, async () => {
      this.#note(victim, how)
      if (victim === 'controller') return this.#controllers.strike(how, downMs)
      signal(victim, how === 'killed' ? 'SIGKILL' : 'SIGSTOP')
      await sleep(downMs)
      if (how === 'suspended') signal(victim, 'SIGCONT')
      else await this.#inTurn('restart', () => restart(victim))
    })
  }

  async #inTurn(whose: Victim | 'restart', act: () => Promise<void>): Promise<void> {
    const before = this.#turns.get(whose)
    const turn = (before ?? Promise.resolve()).then(act)
    this.#turns.set(
      whose,
      turn.catch(() => {}),
    )
    await turn
  }
}

/** Whatever a run that was cut short has left dead or suspended. */
export async function allRunning(): Promise<void> {
  for (const name of VICTIMS.filter((v): v is Victim & LabProcess => v !== 'controller'))
    if (isRunning(name)) signal(name, 'SIGCONT')
    else await restart(name)
}
