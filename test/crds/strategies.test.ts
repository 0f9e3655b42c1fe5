import { describe, expect, it } from 'vitest'
import { CINDER_DRIVER } from '../../src/api/names.ts'
import { REPLACEMENT_RIGHTS } from '../../src/kube/persistent-volumes.ts'
import { resourceName } from '../../src/kube/resources.ts'
import {
  ATTACHER_FINALIZER,
  OWN_FINALIZER,
  PARKED_DRIVER,
  PROTECTION_FINALIZER,
} from '../../src/migration/snapshot-restore/manifest.ts'
import { manifestsIn } from './manifests.ts'
import type { Manifest } from './manifests.ts'

type Rule = { apiGroups: string[]; resources: string[]; resourceNames?: string[]; verbs: string[] }
type Policy = Manifest & {
  readonly spec: {
    readonly failurePolicy: string
    readonly matchConstraints: {
      readonly resourceRules: readonly [
        { readonly operations: string[]; readonly resources: string[] },
      ]
    }
    readonly matchConditions: readonly { readonly expression: string }[]
    readonly validations: readonly { readonly expression: string }[]
  }
}

const FILES = ['snapshot-restore.yaml', 'workload-restart.yaml'] as const

const ofKind = (file: string, kind: string) =>
  manifestsIn('deploy', file).filter((m) => m.kind === kind)
const policies = FILES.flatMap((file) => ofKind(file, 'ValidatingAdmissionPolicy')) as Policy[]

/** The one object of that kind in the file. */
function the(file: string, kind: string): Manifest {
  const [found, ...others] = ofKind(file, kind)
  if (found === undefined || others.length > 0) throw new Error(`not one ${kind} in ${file}`)
  return found
}

/** `verb resource.group`, as `resourceName` writes it. */
function given(file: string): string[] {
  return (the(file, 'ClusterRole')['rules'] as Rule[]).flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((plural) =>
        verbs.map((verb) => `${verb} ${group === '' ? plural : `${plural}.${group}`}`),
      ),
    ),
  )
}

function policyOf(resource: string): Policy {
  const found = policies.filter((p) =>
    p.spec.matchConstraints.resourceRules[0].resources.includes(resource),
  )
  if (found.length !== 1) throw new Error(`${found.length} policies for ${resource}`)
  return found[0]!
}

describe('the rights of snapshot-restore', () => {
  it('are exactly those that are asked for before a replacement', () => {
    const asked = REPLACEMENT_RIGHTS.map(
      ({ verb, resource }) => `${verb} ${resourceName(resource)}`,
    )
    expect(given('snapshot-restore.yaml').toSorted()).toEqual(asked.toSorted())
  })

  it('are not given by default', () => {
    const rules = manifestsIn('deploy', 'rbac.yaml').flatMap((m) => (m['rules'] ?? []) as Rule[])
    const writing = rules.filter((r) =>
      r.resources.some((x) => x === 'persistentvolumes' || x === 'volumeattachments'),
    )
    expect(new Set(writing.flatMap((r) => r.verbs))).toEqual(new Set(['get', 'list', 'watch']))
    expect(rules.flatMap((r) => r.apiGroups)).not.toContain('apps')
  })
})

describe('the rights to restart workloads', () => {
  it('are to scale them, and to read what has a say in it', () => {
    expect(given('workload-restart.yaml').toSorted()).toEqual([
      'get deployments.apps',
      'get namespaces',
      'get statefulsets.apps',
      'list deployments.apps',
      'list horizontalpodautoscalers.autoscaling',
      'list poddisruptionbudgets.policy',
      'list pods',
      'list replicasets.apps',
      'list scaledobjects.keda.sh',
      'list statefulsets.apps',
      'patch deployments.apps',
      'patch statefulsets.apps',
    ])
  })
})

describe('the admission policies that hold the controller to them', () => {
  it('cover each kind that the roles let it write', () => {
    expect(policyOf('persistentvolumes').spec.matchConstraints.resourceRules[0].operations).toEqual(
      ['CREATE', 'UPDATE', 'DELETE'],
    )
    expect(policyOf('volumeattachments').spec.matchConstraints.resourceRules[0].operations).toEqual(
      ['DELETE'],
    )
    expect(policyOf('statefulsets')).toBe(policyOf('deployments'))
  })

  it.each(policies.map((p) => [p.metadata.name ?? '', p] as const))(
    '%s refuses what it cannot judge, and concerns nobody but the account that has the role',
    (name, { spec }) => {
      expect(spec.failurePolicy).toBe('Fail')
      const file = FILES.find((f) =>
        ofKind(f, 'ValidatingAdmissionPolicy').some((p) => p.metadata.name === name),
      )!
      const [subject] = the(file, 'ClusterRoleBinding')['subjects'] as {
        name: string
        namespace: string
      }[]
      expect(spec.matchConditions.map((c) => c.expression)).toEqual([
        `request.userInfo.username == 'system:serviceaccount:${subject?.namespace}:${subject?.name}'`,
      ])
      const bound = ofKind(file, 'ValidatingAdmissionPolicyBinding').map((b) => b['spec'])
      expect(bound).toContainEqual({ policyName: name, validationActions: ['Deny'] })
    },
  )

  it('name the drivers and finalizers that the controller writes', () => {
    const { validations } = policyOf('persistentvolumes').spec
    const text = validations.map((v) => v.expression).join('\n')
    expect(text).toContain(`in ['${CINDER_DRIVER}', '${PARKED_DRIVER}']`)
    expect(text).toContain(`in ['${PROTECTION_FINALIZER}', '${ATTACHER_FINALIZER}']`)
    expect(text).toContain(`'${OWN_FINALIZER}' in `)
    const [attachments] = policyOf('volumeattachments').spec.validations
    expect(attachments?.expression).toContain(`'${PARKED_DRIVER}'`)
  })
})
