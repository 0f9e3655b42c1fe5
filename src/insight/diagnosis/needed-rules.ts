/** One permission, as an access review asks for it. */
export type Rule = {
  readonly group: string
  /** With its subresource: `volumemigrations/status`. */
  readonly resource: string
  readonly verb: string
  /** In the namespace of the installation only. */
  readonly local: boolean
  readonly name: string | undefined
}

type Need = {
  readonly group: string
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
  readonly local?: true
  readonly name?: string
  /** What does not work without; `essential` = the controller itself. */
  readonly costs: string
  readonly essential: boolean
}

const LOOK = ['get', 'list', 'watch']

/** What the controller needs, and what for. deploy/rbac.yaml gives exactly this; a test compares them. */
const NEEDS: readonly Need[] = [
  need('', ['persistentvolumeclaims'], LOOK, 'the controller does not know what to manage'),
  need('', ['persistentvolumes'], LOOK, 'the controller does not know the volume of a claim'),
  need(
    'storage.k8s.io',
    ['storageclasses'],
    LOOK,
    'tiers that name a StorageClass only have no volume type',
  ),
  need(
    'storage.k8s.io',
    ['volumeattachments'],
    LOOK,
    'the controller does not know what is attached',
  ),
  need('couchestor.io', ['storagepolicies'], LOOK, 'the controller has no policies'),
  need(
    'couchestor.io',
    ['volumemigrations', 'tieringcheckpoints'],
    [...LOOK, 'create', 'patch', 'delete'],
    'no move can be planned, saved or finished',
  ),
  need(
    'couchestor.io',
    ['volumemigrations/status'],
    ['get', 'patch'],
    'no move can be saved, so none is made',
  ),
  need(
    'couchestor.io',
    ['storagepolicies/status'],
    ['get', 'patch'],
    'policies say nothing: no conditions, counts and costs',
  ),
  optional(
    'couchestor.io',
    ['volumemigrations'],
    ['plan'],
    'the admission policy couchestor-migrations, where it is installed, refuses planned moves',
  ),
  optional(
    '',
    ['persistentvolumeclaims'],
    ['patch'],
    'claims do not show their tier (couchestor.io/tier)',
  ),
  optional('', ['namespaces'], LOOK, 'namespaceSelector of policies matches nothing'),
  optional('', ['nodes'], LOOK, 'moves are not held back while a node drains'),
  optional('', ['pods'], LOOK, 'moves are not held back while a pod waits for its claim'),
  optional('', ['events'], ['create', 'patch'], 'claims and policies get no events'),
  {
    ...need(
      'coordination.k8s.io',
      ['leases'],
      ['get', 'update', 'patch'],
      'no controller can lead',
    ),
    local: true,
    name: 'couchestor-controller',
  },
  {
    ...need('coordination.k8s.io', ['leases'], ['create'], 'the first controller cannot lead'),
    local: true,
  },
  {
    ...optional(
      '',
      ['secrets'],
      ['get'],
      'openstack.credential_ref is not read; OS_* variables serve as well',
    ),
    local: true,
    name: 'openstack-credentials',
  },
]

function need(
  group: string,
  resources: readonly string[],
  verbs: readonly string[],
  costs: string,
): Need {
  return { group, resources, verbs, costs, essential: true }
}

function optional(...args: Parameters<typeof need>): Need {
  return { ...need(...args), essential: false }
}

/** Every single permission of the controller. */
export const NEEDED_RULES: readonly Rule[] = NEEDS.flatMap((n) =>
  n.resources.flatMap((resource) =>
    n.verbs.map((verb) => ({
      group: n.group,
      resource,
      verb,
      local: n.local ?? false,
      name: n.name,
    })),
  ),
)

/** Those rules where `credential_ref` of config.yaml names another Secret. */
export function neededRules(secretName: string | undefined): readonly Rule[] {
  if (secretName === undefined) return NEEDED_RULES
  return NEEDED_RULES.map((r) => (r.resource === 'secrets' ? { ...r, name: secretName } : r))
}

/** What a missing rule costs, and whether the controller works without. */
export function costOf(rule: Rule): { readonly costs: string; readonly essential: boolean } {
  const found = NEEDS.find(
    (n) =>
      n.group === rule.group &&
      n.resources.includes(rule.resource) &&
      n.verbs.includes(rule.verb) &&
      (n.local ?? false) === rule.local,
  )
  if (found === undefined) throw new Error(`nobody needs ${rule.verb} ${rule.resource}`)
  return found
}
