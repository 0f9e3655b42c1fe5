import { formatDuration } from '../../api/duration.ts'
import { printable } from '../table.ts'
import type { Prospect } from './prospect.ts'

/** What comes back, what is lost, whom it waits for. `now` in ms. */
export function renderProspect(p: Prospect, now: number): string {
  const { former } = p
  const claim = `${p.claim.namespace}/${p.claim.name}`
  const since = former.unwrittenSince
  const lines = [
    `Claim ${claim} is on volume ${p.volumeId} (tier ${p.tier}), by VolumeMigration ${p.migration}.`,
    `Its former volume ${former.volumeId} comes back (${typeOf(p)}). Nothing has been written to it since ${since === null ? 'the claim has the other one' : shown(since)}.`,
    `LOST: everything written to the claim since then${since === null ? '' : lasting(now - Date.parse(since))}.`,
    podsLine(p),
    ...(p.possibleUntil === null
      ? []
      : [
          `Possible until ${shown(p.possibleUntil)} at the latest; it ends sooner once the claim has been mounted for long enough.`,
        ]),
  ]
  return `${lines.map(printable).join('\n')}\n`
}

function typeOf({ former: { typeId, tier } }: Prospect): string {
  const type = typeId === null ? 'its type is not known' : `volume type ${typeId}`
  return tier === null ? type : `tier ${tier}, ${type}`
}

function podsLine({ pods }: Prospect): string {
  if (pods === null)
    return 'Pods that use the claim cannot be listed by this account; the rollback waits until none does.'
  if (pods.length === 0) return 'No Pod uses the claim now.'
  return `The rollback waits until no Pod uses the claim: stop ${pods.join(', ')}.`
}

const MINUTE = 60_000

function lasting(ms: number): string {
  return ms < MINUTE ? '' : `, ${formatDuration(Math.floor(ms / MINUTE) * MINUTE)} by now`
}

/** To the second. */
function shown(time: string): string {
  return time.replace(/\.\d+Z$/, 'Z')
}
