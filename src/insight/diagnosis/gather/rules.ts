import { REPLACEMENT_RIGHTS } from '../../../kube/persistent-volumes.ts'
import { WORKLOAD_RIGHTS } from '../../../kube/workloads.ts'
import type { Right } from '../../../kube/uncached.ts'
import { SELF_SUBJECT_ACCESS_REVIEW } from '../../../kube/resources.ts'
import { ApiError } from '../../../kube/types.ts'
import type { KubeClient, KubeObject, Resource } from '../../../kube/types.ts'
import type { RulesFact } from '../facts.ts'
import { neededRules } from '../needed-rules.ts'
import type { Rule } from '../needed-rules.ts'
import { SUBJECT_ACCESS_REVIEW } from './resources.ts'

const REPLACEMENT_RULES = rulesOf(REPLACEMENT_RIGHTS)
const RESTART_RULES = rulesOf(WORKLOAD_RIGHTS)

function rulesOf(rights: readonly Right[]): readonly Rule[] {
  return rights.map(({ verb, resource }) => ({
    group: resource.group,
    resource: resource.plural,
    verb,
    local: false,
    name: undefined,
  }))
}

/** What the policies want, for which more rights are needed. */
export type Wanted = {
  /** Secret of `credential_ref`. */
  readonly secretName: string | undefined
  /** A policy replaces volumes. */
  readonly replacing: boolean
  /** A policy restarts workloads. */
  readonly restarting: boolean
}

type Review = KubeObject & { readonly status?: { readonly allowed?: boolean } }

/**
 * Which of its rules the controller's account lacks. Asked about ourselves where we are that account; else about it,
 * which takes an administrator; else about ourselves all the same, and said so. One small request per rule.
 */
export async function gatherRules(
  kube: KubeClient,
  me: string,
  controller: { readonly namespace: string; readonly serviceAccount: string },
  { secretName, replacing, restarting }: Wanted,
): Promise<RulesFact> {
  const account = `system:serviceaccount:${controller.namespace}:${controller.serviceAccount}`
  const rules = neededRules(secretName)
  const asked = rules.length
  const { namespace } = controller
  const askedOf = async (user: string | undefined): Promise<RulesFact> => ({
    account,
    ofController: true,
    denied: await deniedOf(kube, rules, namespace, user),
    replacing: replacing ? await deniedOf(kube, REPLACEMENT_RULES, namespace, user) : [],
    restarting: restarting ? await deniedOf(kube, RESTART_RULES, namespace, user) : [],
    asked,
  })
  if (me === account) return askedOf(undefined)
  try {
    return await askedOf(account)
  } catch (e) {
    if (!(e instanceof ApiError) || ![401, 403, 404].includes(e.status)) throw e
    return { account: me, ofController: false, denied: [], replacing: [], restarting: [], asked: 0 }
  }
}

async function deniedOf(
  kube: KubeClient,
  rules: readonly Rule[],
  namespace: string,
  user: string | undefined,
): Promise<readonly Rule[]> {
  const answers = await Promise.all(
    rules.map(async (rule) => ({
      rule,
      allowed: await isAllowed(kube, rule, namespace, user),
    })),
  )
  return answers.filter((a) => !a.allowed).map((a) => a.rule)
}

async function isAllowed(
  kube: KubeClient,
  rule: Rule,
  namespace: string,
  user: string | undefined,
): Promise<boolean> {
  const [resource = '', subresource] = rule.resource.split('/')
  const resourceAttributes = {
    group: rule.group,
    resource,
    verb: rule.verb,
    ...(subresource === undefined ? {} : { subresource }),
    ...(rule.local ? { namespace } : {}),
    ...(rule.name === undefined ? {} : { name: rule.name }),
  }
  const kind: Resource = user === undefined ? SELF_SUBJECT_ACCESS_REVIEW : SUBJECT_ACCESS_REVIEW
  const spec = {
    resourceAttributes,
    ...(user === undefined ? {} : { user, groups: groupsOf(user) }),
  }
  const review = await kube.create<Review>(kind, { metadata: {}, spec } as unknown as Review)
  return review.status?.allowed === true
}

/** A ServiceAccount is in these groups whenever it asks. */
function groupsOf(user: string): readonly string[] {
  const namespace = user.split(':')[2] ?? ''
  return ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated']
}
