import {
  CLUSTER,
  CLUSTER_VARIABLE,
  CONTROLLER,
  JOB_VARIABLE,
  queryVariable,
  textbox,
} from '../variables.ts'
import type { Variable } from '../grafana.ts'

export const PER_VOLUME = 'no numbers, or own_metrics.per_volume is off'

/** The controller's own series of the volume. */
export const own = (name: string) =>
  `couchestor_volume_${name}{${CONTROLLER}, volume_id=~"$volume_id"}`

const INFO = 'couchestor_volume_info'
/** Claims and volumes as kube-state-metrics knows them. */
const REF = 'kube_persistentvolume_claim_ref'
const CHOSEN_REF = `${REF}{${CLUSTER}, claim_namespace=~"$namespace", name=~"$claim"}`
const CHOSEN_INFO = `${INFO}{${CONTROLLER}, pvc_namespace=~"$namespace", pvc=~"$claim"}`

const copied = (expr: string, from: string, to: string) =>
  `label_replace(${expr}, "${to}", "$1", "${from}", "(.+)")`

/** Claims come from our series per volume or from kube-state-metrics, whichever is there. */
const NAMESPACES = `group by (pvc_namespace) (${INFO}{${CONTROLLER}} or ${copied(`${REF}{${CLUSTER}}`, 'claim_namespace', 'pvc_namespace')})`
const CLAIMS = `group by (pvc) (${INFO}{${CONTROLLER}, pvc_namespace=~"$namespace"} or ${copied(`${REF}{${CLUSTER}, claim_namespace=~"$namespace"}`, 'name', 'pvc')})`
const CLAIMED = copied(
  `kube_persistentvolume_info{${CLUSTER}, csi_volume_handle!=""} and on (cluster, persistentvolume) ${CHOSEN_REF}`,
  'csi_volume_handle',
  'volume_id',
)
/** Where neither is there, all that the agents see. */
const SEEN = `(couchestor_volume_reads_completed_total{${CLUSTER}} unless on () (${INFO}{${CONTROLLER}} or ${REF}{${CLUSTER}}))`

export const VARIABLES: readonly Variable[] = [
  CLUSTER_VARIABLE,
  JOB_VARIABLE,
  queryVariable({
    name: 'namespace',
    label: 'Namespace',
    query: `query_result(${NAMESPACES})`,
    regex: '/pvc_namespace="([^"]+)"/',
    all: '.*',
  }),
  queryVariable({
    name: 'claim',
    label: 'Claim',
    query: `query_result(${CLAIMS})`,
    regex: '/pvc="([^"]+)"/',
    all: '.*',
  }),
  queryVariable({
    name: 'volume_id',
    label: 'Volume',
    query: `query_result(group by (volume_id) (${CHOSEN_INFO} or ${CLAIMED} or ${SEEN}))`,
    regex: '/volume_id="([^"]+)"/',
  }),
  queryVariable({
    name: 'serial',
    label: 'Serial number',
    // virtio and NVMe cut a serial number after 20 characters
    query: 'query_result(label_replace(vector(1), "volume_id", "$volume_id", "", ""))',
    regex: '/volume_id="([^"]{20})/',
    hidden: true,
  }),
  textbox('io_unit_kib', 'I/O unit (KiB)', '256'),
]
