/** Values that turn everything on that can be on at once. */
const EVERYTHING = {
  commonLabels: { team: 'storage' },
  imagePullSecrets: [{ name: 'registry' }],
  image: { digest: `sha256:${'0123456789abcdef'.repeat(4)}` },
  credentials: {
    create: true,
    data: {
      OS_AUTH_URL: 'https://keystone.example.com:5000/v3',
      OS_APPLICATION_CREDENTIAL_ID: 'id',
      OS_APPLICATION_CREDENTIAL_SECRET: 'secret',
    },
  },
  config: { openstack: { auth_url: 'https://keystone.example.com:35357/v3', region: 'R1' } },
  policies: {
    observe: {
      mode: 'Observe',
      selector: { matchLabels: { 'couchestor.io/tiering': 'on' } },
      tiers: [{ name: 'hot', iopsThreshold: 1_000_000 }, { name: 'cold' }],
    },
  },
  controller: {
    replicas: 3,
    priorityClassName: 'system-cluster-critical',
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: 'topology.kubernetes.io/zone',
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels: { app: 'couchestor', component: 'controller' } },
      },
    ],
    nodeSelector: { role: 'infra' },
    tolerations: [{ key: 'infra', operator: 'Exists', effect: 'NoSchedule' }],
    extraArgs: ['--log-level=debug'],
    extraEnv: [{ name: 'HTTPS_PROXY', value: 'http://proxy:3128' }],
    extraVolumes: [{ name: 'ca', configMap: { name: 'openstack-ca' } }],
    extraVolumeMounts: [{ name: 'ca', mountPath: '/etc/ca', readOnly: true }],
    podAnnotations: { 'example.com/note': 'x' },
    podLabels: { 'example.com/label': 'y' },
    serviceAccount: { annotations: { 'example.com/role': 'z' } },
  },
  agent: {
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'virtual', operator: 'Exists' }] }],
        },
      },
    },
    podAnnotations: { 'example.com/note': 'x' },
    extraEnv: [{ name: 'X', value: 'y' }],
    extraVolumes: [{ name: 'host', hostPath: { path: '/proc' } }],
    extraVolumeMounts: [{ name: 'host', mountPath: '/host/proc', readOnly: true }],
    extraArgs: ['--proc=/host/proc'],
  },
  exporter: {
    enabled: true,
    podAnnotations: { 'example.com/note': 'x' },
    config: { aggregation_period: '300', gnocchi: { endpoint: 'http://gnocchi:8041' } },
  },
  admission: { restrictForceTier: true },
  strategies: { snapshotRestore: { enabled: true } },
  workloads: { restart: { enabled: true } },
  storageClasses: { enabled: true },
  networkPolicy: { enabled: true, extraEgress: [{ ports: [{ port: 3128, protocol: 'TCP' }] }] },
  monitoring: {
    labels: { release: 'prometheus' },
    interval: '15s',
    podMonitor: { enabled: true },
    prometheusRule: { enabled: true },
    dashboards: { enabled: true, annotations: { grafana_folder: 'Storage' } },
  },
  extraObjects: [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'more', namespace: '{{ .Release.Namespace }}' },
    },
  ],
}

const RESTRICTED = {
  runAsNonRoot: true,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
}

const PER_COMPONENT = {
  annotations: { 'example.com/reload': 'true' },
  hostAliases: [{ ip: '10.0.0.1', hostnames: ['keystone.internal'] }],
  dnsPolicy: 'None',
  dnsConfig: { nameservers: ['10.0.0.2'] },
  envFrom: [{ configMapRef: { name: 'corporate', optional: true } }],
  extraEnv: [{ name: 'COUCHESTOR_LOG_LEVEL', value: 'debug' }],
  initContainers: [
    { name: 'first', image: 'registry.example.com/first:1', securityContext: RESTRICTED },
  ],
  sidecars: [{ name: 'side', image: 'registry.example.com/side:1', securityContext: RESTRICTED }],
  startupProbe: { failureThreshold: 30 },
  topologySpreadConstraints: [
    { maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway' },
  ],
  podDisruptionBudget: { enabled: true, minAvailable: 1 },
  podSecurityContext: { runAsUser: null },
  minReadySeconds: 5,
  revisionHistoryLimit: 3,
  serviceAccount: { annotations: { 'example.com/role': 'z' } },
  service: { annotations: { 'example.com/note': 'x' }, labels: { team: 'y' } },
}

/** What a platform team sets beside that, in every component. */
const PLATFORM = {
  enabled: true,
  global: { imageRegistry: 'registry.example.com', imagePullSecrets: ['registry'], other: 1 },
  commonAnnotations: { 'example.com/owner': 'storage' },
  openshift: { dropFixedIds: 'Always' },
  proxy: { httpsProxy: 'http://proxy.example.com:3128', noProxy: '.example.com' },
  controller: PER_COMPONENT,
  agent: PER_COMPONENT,
  exporter: { enabled: true, ...PER_COMPONENT },
  networkPolicy: { enabled: true, extraIngress: [{ from: [{ podSelector: {} }] }] },
  monitoring: {
    serviceMonitor: {
      enabled: true,
      scrapeTimeout: '5s',
      relabelings: [{ action: 'labeldrop', regex: 'pod' }],
      metricRelabelings: [{ action: 'drop', sourceLabels: ['__name__'], regex: 'nodejs_.*' }],
    },
    prometheusRule: {
      enabled: true,
      alerts: { CouchestorNoLeader: { enabled: false }, CouchestorAgentDown: { for: '1h' } },
      runbookBaseUrl: 'https://wiki.example.com/runbooks',
    },
  },
}

/** One switch at a time, and all together. */
export const SWITCHES: readonly (readonly [string, object])[] = [
  ['the defaults', {}],
  ['one replica', { controller: { replicas: 1 } }],
  ['preferred anti-affinity', { controller: { podAntiAffinity: 'Preferred' } }],
  ['no anti-affinity', { controller: { podAntiAffinity: 'None' } }],
  ['the privileged agent', { agent: { privileged: true } }],
  ['no agent', { agent: { enabled: false } }],
  ['the exporter', { exporter: { enabled: true } }],
  ['the credential by API', { credentials: { delivery: 'API' } }],
  ['no rights made', { rbac: { create: false, userRoles: false } }],
  ['no ServiceAccount made', { controller: { serviceAccount: { create: false, name: 'mine' } } }],
  ['no CRDs', { crds: { enabled: false } }],
  ['CRDs that go', { crds: { keep: false } }],
  ['no admission policies', { admission: { enabled: false } }],
  ['only forcing restricted', { admission: { enabled: false, restrictForceTier: true } }],
  ['the rights of snapshot-restore', { strategies: { snapshotRestore: { enabled: true } } }],
  ['the rights to restart workloads', { workloads: { restart: { enabled: true } } }],
  [
    'admission policies for rights given elsewhere',
    { rbac: { create: false }, strategies: { snapshotRestore: { enabled: true } } },
  ],
  ['StorageClasses', { storageClasses: { enabled: true } }],
  ['no class for restores', { storageClasses: { enabled: true, restoreName: '' } }],
  ['NetworkPolicies', { networkPolicy: { enabled: true } }],
  [
    'ServiceMonitors',
    { exporter: { enabled: true }, monitoring: { serviceMonitor: { enabled: true } } },
  ],
  ['PodMonitors', { exporter: { enabled: true }, monitoring: { podMonitor: { enabled: true } } }],
  ['no doctor', { doctor: { enabled: false } }],
  ['only the class for restores', { storageClasses: { enabled: true, onlyRestore: true } }],
  ['other names', { exporter: { enabled: true }, fullnameOverride: 'tiering' }],
  ['what a platform team sets', PLATFORM],
  ['everything', EVERYTHING],
]

export { EVERYTHING }
