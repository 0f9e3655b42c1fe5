import type { Facts } from '../facts.ts'
import { finding, notChecked, ok } from '../finding.ts'
import type { Line } from '../finding.ts'
import { costOf } from '../needed-rules.ts'
import type { Rule } from '../needed-rules.ts'

/** The permissions of the controller's account; what each missing one costs. */
export function checkRules({ cluster: { rules }, namespace }: Facts): readonly Line[] {
  if (!rules.known) return [notChecked('rbac', 'permissions', rules.why)]
  const { account, ofController, denied, asked } = rules.value
  if (!ofController)
    return [
      finding('RulesOfOther', `you are ${account}, and may not ask for the controller's account`, {
        fix: `kubectl -n ${namespace} exec deploy/couchestor-controller -- couchestor doctor`,
      }),
    ]
  if (denied.length === 0) return [ok(`${account} has all ${asked} permissions it needs`)]
  if (denied.length === asked)
    return [
      finding('RuleMissing', `${account} has none of the ${asked} permissions it needs`, {
        why: 'the controller does not work, or runs under another account',
      }),
    ]
  const groups = Map.groupBy(denied, (rule) => `${keyOf(rule)} ${costOf(rule).costs}`)
  return [...groups.values()].map((some) => missing(account, namespace, some))
}

function missing(account: string, namespace: string, rules: readonly Rule[]): Line {
  const [first] = rules
  if (first === undefined) throw new Error('a group has a rule')
  const verbs = rules.map((r) => r.verb)
  const { costs, essential } = costOf(first)
  const where = first.local ? ` in namespace ${namespace}` : ' in the whole cluster'
  const names = first.name === undefined ? '' : `, resourceNames: [${first.name}]`
  const rule = `{apiGroups: ['${first.group}'], resources: [${first.resource}]${names}, verbs: [${verbs.join(', ')}]}`
  const role = first.local ? 'Role' : 'ClusterRole'
  return finding(
    essential ? 'RuleMissing' : 'OptionalRuleMissing',
    `${account} may not ${verbs.join(', ')} ${title(first)}${where}`,
    {
      why: costs,
      fix: `kubectl apply -f deploy/rbac.yaml, or add to ${role} couchestor: ${rule}`,
    },
  )
}

function keyOf({ group, resource, local, name }: Rule): string {
  return [group, resource, local, name].join(' ')
}

function title({ group, resource, name }: Rule): string {
  const [plural = '', sub] = resource.split('/')
  const kind = `${plural}${group === '' ? '' : `.${group}`}${sub === undefined ? '' : `/${sub}`}`
  return name === undefined ? kind : `${kind} "${name}"`
}
