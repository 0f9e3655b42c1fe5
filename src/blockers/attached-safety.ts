import type { AttachedRule } from '../api/storage-policy.ts'

/** Extra specs of a volume type as far as the credential sees them, or why nothing is known of them. */
export type ExtraSpecs =
  | { readonly kind: 'Seen'; readonly specs: Readonly<Record<string, string>> }
  | { readonly kind: 'Unknown'; readonly why: string }

export type AttachedFacts = {
  /** Highest microversion that Cinder offers, as [major, minor]. */
  readonly maxMicroversion: readonly [number, number]
  /** A member sees few or none. What is unknown differs from nothing. */
  readonly fromExtraSpecs: ExtraSpecs
  readonly toExtraSpecs: ExtraSpecs
  readonly rule: AttachedRule
  /** `never` forbids the copy, and with it everything that can go wrong with it. */
  readonly migrationPolicy: 'never' | 'on-demand'
}

/** `message` is the proof, or why there is none and what to do. */
export type AttachedSafety = { readonly safe: boolean; readonly message: string }

/** Cinder 24.0.0 is the first release that offers it, and all from there on keep attached volumes safe. */
const SAFE_MICROVERSION = [3, 71] as const

/** Types that differ in these only are handed to the driver's own migration, the one that loses attached data. */
const IGNORED_SPECS = new Set(['volume_backend_name', 'RESKEY:availability_zones'])

/**
 * Whether an attached volume may be retyped now. Cinder 19.0.0 to 21.3.1, 22.0.0 to 22.1.1 and 23.0.0 lose the data
 * of an attached RBD volume and report success (Launchpad bug 2019190), so that safety needs a proof.
 */
export function attachedSafe(facts: AttachedFacts): AttachedSafety {
  const { rule, migrationPolicy, maxMicroversion } = facts
  if (rule === 'Never')
    return {
      safe: false,
      message:
        'the volume is attached, and the policy moves detached volumes only (migration.attached: Never); it moves at its next detach',
    }
  if (migrationPolicy === 'never')
    return {
      safe: true,
      message: 'migration policy "never": Cinder changes the type without a copy',
    }
  if (isSafeMicroversion(maxMicroversion))
    return {
      safe: true,
      message: `Cinder offers microversion ${maxMicroversion.join('.')}, so it is release 24.0.0 or later`,
    }
  const spec = differingSpec(facts.fromExtraSpecs, facts.toExtraSpecs)
  if (spec !== undefined)
    return {
      safe: true,
      message: `the two volume types differ in extra spec ${spec}, so Cinder copies through Nova`,
    }
  if (rule === 'Allow')
    return { safe: true, message: 'the administrator allows it (migration.attached: Allow)' }
  return { safe: false, message: unproven(facts) }
}

function isSafeMicroversion([major, minor]: readonly [number, number]): boolean {
  const [safeMajor, safeMinor] = SAFE_MICROVERSION
  return major > safeMajor || (major === safeMajor && minor >= safeMinor)
}

/** Only what is seen of both types can differ. */
function differingSpec(from: ExtraSpecs, to: ExtraSpecs): string | undefined {
  if (from.kind === 'Unknown' || to.kind === 'Unknown') return undefined
  const names = [...new Set([...Object.keys(from.specs), ...Object.keys(to.specs)])].toSorted()
  return names.find((name) => !IGNORED_SPECS.has(name) && from.specs[name] !== to.specs[name])
}

function unproven({ maxMicroversion, fromExtraSpecs, toExtraSpecs }: AttachedFacts): string {
  const unknown = [fromExtraSpecs, toExtraSpecs].flatMap((s) =>
    s.kind === 'Unknown' ? [` (${s.why})`] : [],
  )
  return (
    `the volume is attached, and Cinder (microversion ${maxMicroversion.join('.')}) may be a release that loses the data of ` +
    `attached volumes at a retype (docs/supported-versions.md names them), and the extra specs seen prove nothing${unknown[0] ?? ''}; it moves at its next detach. To move it attached: ` +
    '(1) upgrade Cinder to 24.0.0 or later (microversion 3.71), or ' +
    '(2) give the volume type of each tier its own scoped extra spec, such as couchestor:tier=hot, and let the credential see it, or ' +
    '(3) set migration.attached to Allow when the administrator has made sure that the release is safe'
  )
}
