/** JSON merge patch (RFC 7386) that turns `before` into `after`; undefined when they are equal. */
export function mergePatch(before: unknown, after: unknown): unknown {
  if (isPlain(before) && isPlain(after)) return objectPatch(before, after)
  return JSON.stringify(before) === JSON.stringify(after) ? undefined : after
}

type Plain = Readonly<Record<string, unknown>>

function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function objectPatch(before: Plain, after: Plain): Plain | undefined {
  const patch: Record<string, unknown> = {}
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (after[key] === undefined) {
      if (before[key] !== undefined) patch[key] = null
      continue
    }
    const change = mergePatch(before[key], after[key])
    if (change !== undefined) patch[key] = change
  }
  return Object.keys(patch).length === 0 ? undefined : patch
}
