import { messageOf } from '../../errors.ts'
import { CHECKS } from './checks/all.ts'
import type { Check } from './checks/all.ts'
import type { Facts } from './facts.ts'
import { notChecked } from './finding.ts'
import type { Finding, Line } from './finding.ts'
import { GROUPS } from './groups.ts'
import { forHelm, releaseOf } from './helm-advice.ts'
import type { Group } from './groups.ts'
import { tierRows, typeRows } from './tables.ts'
import type { TierRow, TypeRow } from './tables.ts'

export type Section = { readonly group: Group; readonly lines: readonly Line[] }

/** What `-o json` prints. Fields are added, never renamed. */
export type Diagnosis = {
  readonly apiVersion: 'couchestor.io/v1alpha1'
  readonly kind: 'Diagnosis'
  readonly at: string
  readonly version: string
  readonly summary: {
    readonly problems: number
    readonly warnings: number
    readonly unknown: number
    readonly ok: number
  }
  readonly findings: readonly Finding[]
  readonly passed: readonly { readonly group: Group; readonly text: string }[]
  readonly tiers: readonly TierRow[]
  readonly volumeTypes: readonly TypeRow[]
}

/** Judges the facts, each check by itself: one that throws becomes a line that says so. */
export function diagnose(
  facts: Facts,
  checks: Readonly<Record<Group, readonly Check[]>> = CHECKS,
): { readonly sections: readonly Section[]; readonly diagnosis: Diagnosis } {
  const release = releaseOf(facts)
  const sections = (Object.keys(GROUPS) as Group[]).map((group) => ({
    group,
    lines: checks[group]
      .flatMap((check) => guarded(check, group, facts))
      .map((line) => (release === undefined ? line : forHelm(line, release))),
  }))
  const lines = sections.flatMap((s) => s.lines)
  const findings = lines.filter((l) => l.severity !== 'ok')
  const count = (severity: Line['severity']) => lines.filter((l) => l.severity === severity).length
  return {
    sections,
    diagnosis: {
      apiVersion: 'couchestor.io/v1alpha1',
      kind: 'Diagnosis',
      at: new Date(facts.now).toISOString(),
      version: facts.version,
      summary: {
        problems: count('problem'),
        warnings: count('warning'),
        unknown: count('unknown'),
        ok: count('ok'),
      },
      findings,
      passed: sections.flatMap(({ group, lines: own }) =>
        own.flatMap((l) => (l.severity === 'ok' ? [{ group, text: l.text }] : [])),
      ),
      tiers: tierRows(facts),
      volumeTypes: typeRows(facts),
    },
  }
}

function guarded(check: Check, group: Group, facts: Facts): readonly Line[] {
  try {
    return check(facts)
  } catch (e) {
    const why = `the check itself failed: ${messageOf(e)}`
    return [notChecked(group, GROUPS[group], why, 'report this as a bug, with the output')]
  }
}
