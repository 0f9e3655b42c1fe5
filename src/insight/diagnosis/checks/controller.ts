import type { Facts } from '../facts.ts'
import { finding, notChecked, ok, when } from '../finding.ts'
import type { Line } from '../finding.ts'

/** How much later than its duration a Lease may appear, for the way and the clocks. */
const GRACE_MS = 5000
/** The first controller of an installation waits for a whole term, in case that another one lives. */
const FIRST_START_MS = 60_000

/** Whether a controller leads, how many stand by, which version it is, and whether it is the only one. */
export function checkController(facts: Facts): readonly Line[] {
  return [...leaseLines(facts), ...deploymentLines(facts), ...otherLines(facts)]
}

function leaseLines({ cluster: { lease }, clocks, now, namespace }: Facts): readonly Line[] {
  if (!lease.known) return [notChecked('controller', 'Lease', lease.why)]
  const name = `Lease ${namespace}/couchestor-controller`
  const logs = { fix: `kubectl -n ${namespace} get pods -l component=controller; then their logs` }
  if (lease.value === undefined) return [finding('NoLeader', `there is no ${name}`, logs)]
  const { holder, renewedAt, durationMs, vacantSince } = lease.value
  const ahead = clocks.find((c) => c.service === 'Kubernetes')?.aheadMs ?? 0
  if (vacantSince !== undefined && now + ahead - vacantSince < FIRST_START_MS)
    return [
      notChecked(
        'controller',
        'the leader',
        `${name} is new, and the first term begins after some 20 s: ask again`,
      ),
    ]
  if (holder === '') return [finding('NoLeader', `${name} has no holder`, logs)]
  const age = renewedAt === undefined ? Infinity : now + ahead - renewedAt
  const what = `${name} is held by ${holder}`
  if (age > durationMs + GRACE_MS) {
    const last = renewedAt === undefined ? 'never' : new Date(renewedAt).toISOString()
    return [finding('LeaderStale', `${what}, last renewed ${last}`, logs)]
  }
  return [ok(`${what} and fresh`)]
}

function deploymentLines({ cluster: { controller }, version, namespace }: Facts): readonly Line[] {
  if (!controller.known)
    return [notChecked('controller', 'Deployment of the controller', controller.why)]
  if (controller.value === undefined)
    return [ok(`no Deployment couchestor-controller in ${namespace}: it runs in another way`)]
  const { name, wanted, ready, image } = controller.value
  const where = `Deployment ${namespace}/${name}`
  const tag = /:v?(\d+\.\d+\.\d+[^@]*)/.exec(image)?.[1]
  return [
    ready < wanted
      ? finding('ControllerNotReady', `${where}: ${ready} of ${wanted} replicas are ready`, {
          fix: `kubectl -n ${namespace} describe pods -l component=controller`,
        })
      : ok(`${where}: ${ready} of ${wanted} replicas ready, image ${image}`),
    ...when(
      tag !== undefined && tag !== version,
      finding('VersionDiffers', `${where} runs ${tag}, this program is ${version}`),
    ),
  ]
}

function otherLines({ cluster: { leaseNamespaces }, namespace }: Facts): readonly Line[] {
  if (!leaseNamespaces.known) {
    if (!leaseNamespaces.refused) return []
    return [notChecked('controller', 'a second installation in the cluster', leaseNamespaces.why)]
  }
  const others = leaseNamespaces.value.filter((n) => n !== namespace)
  if (others.length === 0) return []
  return [
    finding(
      'TwoInstallations',
      `controllers lead in namespaces ${[namespace, ...others].join(', ')}`,
      {
        fix: `keep one: kubectl -n ${others[0]} delete deployment couchestor-controller, or run the doctor with --namespace ${others[0]}`,
      },
    ),
  ]
}
