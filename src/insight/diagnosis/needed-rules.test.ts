import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadAll } from 'js-yaml'
import { describe, expect, it } from 'vitest'
import { costOf, NEEDED_RULES } from './needed-rules.ts'

type Manifest = {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly rules?: readonly {
    readonly apiGroups: readonly string[]
    readonly resources: readonly string[]
    readonly resourceNames?: readonly string[]
    readonly verbs: readonly string[]
  }[]
}

const RBAC = join(import.meta.dirname, '../../../deploy/rbac.yaml')

/** What the role and the cluster role of the controller give, one line per permission. */
function given(): string[] {
  const manifests = loadAll(readFileSync(RBAC, 'utf8')) as (Manifest | null)[]
  return manifests.flatMap((m) => {
    if (m?.metadata.name !== 'couchestor' || m.rules === undefined) return []
    const local = m.kind === 'Role'
    return m.rules.flatMap(({ apiGroups, resources, resourceNames = [undefined], verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) =>
          verbs.flatMap((verb) =>
            resourceNames.map((name) => text({ group, resource, verb, local, name })),
          ),
        ),
      ),
    )
  })
}

function text(rule: (typeof NEEDED_RULES)[number]): string {
  const { group, resource, verb, local, name = '*' } = rule
  return `${verb} ${group}/${resource} ${name} ${local ? 'in the namespace' : 'everywhere'}`
}

describe('the rules the controller needs', () => {
  it('are exactly those that deploy/rbac.yaml gives', () => {
    expect(NEEDED_RULES.map((r) => text(r)).toSorted()).toEqual(given().toSorted())
  })

  it('each say what their lack costs', () => {
    for (const rule of NEEDED_RULES) expect(costOf(rule).costs).not.toBe('')
  })
})
