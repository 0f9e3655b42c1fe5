import { dashboard } from '../dashboard.ts'
import type { Section } from '../dashboard.ts'
import { moveAnnotations } from '../moves.ts'
import { CLUSTER_VARIABLE, CONTROLLER, JOB_VARIABLE } from '../variables.ts'
import { agents } from './agents.ts'
import { apiServer } from './api-server.ts'
import { openstack, source } from './clouds.ts'
import { exporters } from './exporter.ts'
import { now, windows } from './now.ts'
import { processes } from './processes.ts'
import { queues } from './queues.ts'

const sections: readonly Section[] = [
  { title: 'Now', panels: now },
  { title: 'Windows', panels: windows },
  { title: 'Queues', panels: queues },
  { title: 'Kubernetes API server', panels: apiServer },
  { title: 'Cinder and Keystone', panels: openstack },
  { title: 'Source of usage numbers', panels: source },
  { title: 'Agents', panels: agents },
  { title: 'Exporter', panels: exporters },
  { title: 'Controller processes', panels: processes },
]

/** Whether the machine itself is well. */
export const OPERATIONS = dashboard({
  uid: 'couchestor-operations',
  title: 'CoucheStor / Operations',
  description:
    'Leader, queues, API server, Cinder, source of usage numbers, agents, exporter, processes.',
  from: 'now-6h',
  refresh: '30s',
  variables: [CLUSTER_VARIABLE, JOB_VARIABLE],
  annotations: moveAnnotations(CONTROLLER),
  sections,
})
