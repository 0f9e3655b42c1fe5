import { isInFlight } from '../../api/volume-migration.ts'
import type { Bill } from './bill.ts'
import { progressText } from './narrator.ts'
import { TIERS } from './policies.ts'
import { bar } from './screen.ts'
import type { Stage } from './stage.ts'
import { money, timeOfDay } from './text.ts'
import { migrations, shareDone } from './views.ts'

/** The lines at the bottom of a live screen: the day, the fleet, the moves under way. */
export function footer(stage: Stage, bill: Bill, now: number, hour: number): readonly string[] {
  const counts = TIERS.map((t) => `${t.name} ${bill.count(t.name)}`).join('  ')
  const moving = migrations(stage).filter(isInFlight)
  return [
    '',
    `  ${timeOfDay(hour)}  ${bar((hour % 24) / 24, 24, true)}  ${counts}  ${money(bill.now)} a month`,
    ...moving.map((m) => {
      const key = `${m.metadata.namespace}/${m.spec.claim.name}`
      const route = `${m.spec.from} > ${m.spec.to}`
      return `    ${key.padEnd(22)} ${route.padEnd(12)} ${bar(shareDone(m, now) ?? 0, 10, true)} ${progressText(m, now)}`
    }),
  ]
}
