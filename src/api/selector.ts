import type { LabelSelector } from './storage-policy.ts'

type Labels = Readonly<Record<string, string>>
type Requirement = NonNullable<LabelSelector['matchExpressions']>[number]

/** True when a selector names nothing. Such a selector matches nothing here: it never means the whole cluster. */
export function isEmptySelector(selector: LabelSelector | undefined): boolean {
  if ((selector?.matchExpressions?.length ?? 0) > 0) return false
  for (const key in selector?.matchLabels)
    if (Object.hasOwn(selector.matchLabels, key)) return false
  return true
}

/**
 * Whether `labels` fulfil all of `selector`, with the semantics of Kubernetes label selectors, except that an empty or
 * missing selector matches nothing. `NotIn` and `DoesNotExist` also hold where the label is missing.
 */
export function matchesSelector(
  selector: LabelSelector | undefined,
  labels: Labels | undefined,
): boolean {
  if (selector === undefined || isEmptySelector(selector)) return false
  const own = labels ?? NO_LABELS
  // asked of every claim in every pass: no list is made of the labels
  for (const key in selector.matchLabels)
    if (Object.hasOwn(selector.matchLabels, key) && valueOf(own, key) !== selector.matchLabels[key])
      return false
  return selector.matchExpressions?.every((requirement) => holds(requirement, own)) ?? true
}

const NO_LABELS: Labels = {}

function holds({ key, operator, values = [] }: Requirement, labels: Labels): boolean {
  const value = valueOf(labels, key)
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
  }
}

/** A label called `constructor` is a label, not what every object inherits. */
function valueOf(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined
}
