import { describe, expect, it } from 'vitest'
import { Stage } from '../controller/stage.ts'
import { CONFIG, doctorOn } from './doctor-on.ts'
import type { SimDoctor, SimDoctorOptions } from './doctor-on.ts'

const SPEC = {
  tiers: ['hot', 'warm', 'cold'].map((name, i) => ({
    name,
    storageClass: `couchestor-${name}`,
    iopsThreshold: [1000, 100, 0][i] ?? 0,
  })),
}
const SAFE = { maxMinor: 71 }

/** A policy that a controller has seen. */
function policy(stage: Stage, spec: object, name = 'tiered'): void {
  stage.policy(spec, name)
  const made = stage.object('/apis/couchestor.io/v1alpha1/storagepolicies', name)
  if (made === undefined) throw new Error(`no policy ${name}`)
  const observedGeneration = made.metadata['generation']
  stage.world.api.seed({ ...made, status: { observedGeneration } })
}

/** A world in which nothing is wrong: a leader, a policy, attached and detached volumes with usage numbers. */
function healthy(volumes = 2, cloud: object = SAFE, apiServer: object = {}): Stage {
  const stage = new Stage({ cloud, apiServer })
  policy(stage, SPEC)
  for (let i = 0; i < volumes; i++) stage.claim({ name: `claim-${i}`, node: `node-${i % 3}` })
  stage.world.api.seed(
    {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'couchestor-controller', namespace: 'couchestor-system' },
      spec: {
        holderIdentity: 'pod-1',
        leaseDurationSeconds: 15,
        renewTime: new Date(stage.clock.now()).toISOString(),
      },
    },
    {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'couchestor-restore' },
      provisioner: 'cinder.csi.openstack.org',
    },
  )
  return stage
}

function examine(stage: Stage, options: SimDoctorOptions = {}): Promise<SimDoctor> {
  return doctorOn(stage.world, stage.clock, { configYaml: CONFIG, ...options })
}

describe('the doctor, on simulators', () => {
  it('finds nothing where nothing is wrong', async () => {
    const { codes, code, diagnosis } = await examine(healthy(), { flags: { 'fail-on': 'warning' } })
    expect(codes).toEqual([])
    expect(code).toBe(0)
    expect(diagnosis.tiers.map((t) => [t.tier, t.volumes])).toEqual([
      ['hot', 2],
      ['warm', 0],
      ['cold', 0],
    ])
  })

  it.each([
    ['os-availability-zone', 'availability zones'],
    ['os-quota-sets', 'quota'],
  ])('says which read in front of a move is refused: %s', async (path, topic) => {
    const stage = healthy()
    stage.cloud.addFault({
      service: 'cinder',
      path: new RegExp(path),
      action: { kind: 'status', status: 401 },
      times: 10,
    })
    const { diagnosis } = await examine(stage)
    const found = diagnosis.findings.filter((f) => f.severity === 'unknown')
    expect(found.map((f) => JSON.stringify(f)).join()).toContain(topic)
  })

  it('asks as often for many volumes as for few, and writes nothing', async () => {
    const count = async (volumes: number) => (await examine(healthy(volumes))).sent
    const few = await count(2)
    const many = await count(200)
    expect(many).toHaveLength(few.length)
    const posts = many.filter((r) => !r.startsWith('GET '))
    expect(new Set(posts.map((r) => r.split('/').at(-1)))).toEqual(
      new Set(['tokens', 'query', 'selfsubjectreviews', 'subjectaccessreviews']),
    )
  })

  it.each([
    ['Keystone is away', (s: Stage) => s.cloud.setDown('keystone', true), 'KeystoneUnreachable'],
    ['Cinder is away', (s: Stage) => s.cloud.setDown('cinder', true), 'CinderUnreachable'],
    [
      'the credential was removed',
      (s: Stage) => s.cloud.removeAppCredential(s.cloud.operator.id),
      'CredentialRefused',
    ],
    [
      'a quota is full',
      (s: Stage) =>
        s.cloud.setQuota(s.cloud.couchestor.project.id, { 'gigabytes_couchestor-cold': 0 }),
      'QuotaFull',
    ],
    [
      'a second policy takes the same claims',
      (s: Stage) => s.policy({ ...SPEC, paused: true }, 'second'),
      'PolicyConflict',
    ],
    [
      'a claim names a policy that is not there',
      (s: Stage) => s.annotate('claim-0', { 'couchestor.io/policy': 'gone' }),
      'ClaimPolicyWrong',
    ],
  ] as const)('%s', async (_, spoil, code) => {
    const stage = healthy()
    spoil(stage)
    const { codes } = await examine(stage)
    expect(codes).toContain(code)
  })

  it('says what it found when a snapshot, a wrong type and a moved volume meet', async () => {
    const stage = healthy(0)
    const a = stage.claim({ name: 'a' })
    stage.cloud.addSnapshot(a.id)
    stage.policy(
      {
        tiers: [
          { name: 'hot', cinderVolumeType: 'couchestor-hto', iopsThreshold: 5 },
          { name: 'cold', cinderVolumeType: 'couchestor-cold' },
        ],
      },
      'typo',
    )
    const { codes, diagnosis } = await examine(stage)
    expect(codes).toEqual(expect.arrayContaining(['TierTypeMissing', 'FleetBlocked']))
    expect(diagnosis.findings.find((f) => f.code === 'TierTypeMissing')?.what).toContain(
      '"couchestor-hot"',
    )
  })

  it('reports an attached fleet on a Cinder that may lose its data', async () => {
    const { codes, diagnosis } = await examine(healthy(2, { maxMinor: 70 }))
    expect(codes).toEqual(['AttachedUnproven'])
    expect(diagnosis.findings.find((f) => f.code === 'AttachedUnproven')?.what).toContain(
      '2 of 2 managed volumes are attached',
    )
  })

  it('names claims whose volumes only an administrator of another project sees', async () => {
    const stage = healthy(1)
    const credential = stage.cloud.addAppCredential(stage.cloud.admin, 'doctor')
    const env = {
      OS_APPLICATION_CREDENTIAL_ID: credential.id,
      OS_APPLICATION_CREDENTIAL_SECRET: credential.secret,
    }
    const { codes, text } = await examine(stage, { env })
    expect(codes).toContain('VolumesOfOtherProject')
    expect(codes).not.toContain('VolumeNotFound')
    expect(text).toContain(`default/claim-0 (project ${stage.cloud.couchestor.project.id})`)
  })

  it('examines the fleet although one volume of it has an id that is none', async () => {
    const stage = healthy(2)
    const { volumeName } = stage.pvc('claim-0')['spec'] as { volumeName: string }
    const pv = stage.object('/api/v1/persistentvolumes', volumeName)
    if (pv === undefined) throw new Error('no volume')
    const csi = { driver: 'cinder.csi.openstack.org', volumeHandle: '../../types' }
    stage.world.api.seed({ ...pv, spec: { ...(pv['spec'] as object), csi } })
    const { codes, diagnosis } = await examine(stage)
    expect(codes).toContain('VolumeNotFound')
    expect(diagnosis.tiers.map((t) => t.volumes)).toContain(1)
  })

  it('sees more with an administrator: the spec of the guide, and tiers on one backend', async () => {
    const stage = healthy(0)
    stage.cloud.addVolumeType({ name: 'a', backend: 'hot', extraSpecs: { couchestor_tier: 'hot' } })
    stage.cloud.addVolumeType({ name: 'b', backend: 'hot' })
    policy(
      stage,
      {
        tiers: [
          { name: 'a', cinderVolumeType: 'a', iopsThreshold: 5 },
          { name: 'b', cinderVolumeType: 'b' },
        ],
      },
      'guide',
    )
    const credential = stage.cloud.addAppCredential(stage.cloud.admin, 'doctor')
    const env = {
      OS_APPLICATION_CREDENTIAL_ID: credential.id,
      OS_APPLICATION_CREDENTIAL_SECRET: credential.secret,
    }
    const { codes, text } = await examine(stage, { env })
    expect(codes).toEqual(['CredentialIsAdmin', 'SpecUnscoped', 'TiersShareBackend'])
    expect(text).not.toContain(credential.secret)
  })

  it('reports when the credential ends', async () => {
    const stage = healthy(0)
    const expiresAt = stage.clock.now() + 2 * 86_400_000
    const credential = stage.cloud.addAppCredential(stage.cloud.couchestor, 'short', {
      expiresAt,
      unrestricted: true,
    })
    const env = {
      OS_APPLICATION_CREDENTIAL_ID: credential.id,
      OS_APPLICATION_CREDENTIAL_SECRET: credential.secret,
    }
    const { codes, code } = await examine(stage, { env })
    expect(codes).toEqual(['CredentialExpired', 'CredentialUnrestricted'])
    expect(code).toBe(1)
  })

  it('reports mistakes of config.yaml one by one, and does not blame Prometheus for them', async () => {
    const { codes, diagnosis } = await examine(healthy(), {
      configYaml: 'promethus: {}\nmigration: {paused: 7}',
    })
    expect(codes).toEqual(['ConfigInvalid', 'ConfigInvalid'])
    expect(diagnosis.findings.map((f) => f.what).join()).toContain('promethus')
  })

  it('reads the ConfigMap where no file is mounted', async () => {
    const stage = healthy()
    stage.world.api.seed({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'couchestor-config', namespace: 'couchestor-system' },
      data: { 'config.yaml': `${CONFIG}\nmigration: {paused: true}` },
    })
    const readFile = () => Promise.reject(new Error('ENOENT'))
    const { codes } = await examine(stage, { readFile })
    expect(codes).toEqual(['StopSwitchOn'])
  })

  it('finds no usage numbers, and a policy whose window is too short for the scrapes', async () => {
    const stage = healthy(0)
    policy(stage, { ...SPEC, metrics: { window: '2m' } })
    stage.claim({ name: 'silent', node: 'node-1', iops: undefined })
    stage.claim({ name: 'loud', node: 'node-2' })
    const { codes } = await examine(stage)
    expect(codes).toEqual(['NoSeries', 'WindowTooShort'])
  })
})

describe('the first hour', () => {
  const WORKLOADS = { workloads: true }
  const RELEASE = {
    'meta.helm.sh/release-name': 'tiering',
    'meta.helm.sh/release-namespace': 'couchestor-system',
  }

  /** Two agents that run; `annotations` of their pods. */
  function agents(stage: Stage, { release = {}, annotations = {} } = {}): void {
    const isHelm = Object.keys(release).length > 0
    stage.world.api.seed({
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: {
        name: 'couchestor-agent',
        namespace: 'couchestor-system',
        labels: isHelm ? { 'app.kubernetes.io/managed-by': 'Helm' } : {},
        annotations: release,
      },
      spec: { template: { metadata: { annotations }, spec: { containers: [] } } },
      status: { desiredNumberScheduled: 2, numberReady: 2 },
    })
  }

  /** A world whose agents run and which no Prometheus scrapes. */
  function unscraped(options: Parameters<typeof agents>[1] = {}): Stage {
    const stage = healthy(0, SAFE, WORKLOADS)
    stage.claim({ name: 'silent', node: 'node-1', iops: undefined })
    agents(stage, options)
    return stage
  }

  it('names the missing scrape of the agents before everything else', async () => {
    const stage = unscraped()
    policy(stage, { ...SPEC, paused: true })
    const { codes, diagnosis } = await examine(stage)
    expect(codes[0]).toBe('AgentsNotScraped')
    expect(codes.length).toBeGreaterThan(1)
    expect(diagnosis.findings[0]?.fix).toContain('deploy/agent.yaml')
  })

  it('says so once, not as missing series too', async () => {
    expect((await examine(unscraped())).codes.filter((c) => c !== 'AgentNotOnNodes')).toEqual([
      'AgentsNotScraped',
    ])
  })

  it('informs the owner of a release which value brings the scrape', async () => {
    const { diagnosis } = await examine(unscraped({ release: RELEASE }))
    expect(diagnosis.findings[0]?.fix).toMatch(
      /helm upgrade tiering <chart> --namespace couchestor-system .*monitoring\.scrapeAnnotations=Always/,
    )
  })

  it('names it first also for an account that may not see the agents', async () => {
    const stage = healthy(0)
    stage.claim({ name: 'silent', node: 'node-1', iops: undefined })
    policy(stage, { ...SPEC, paused: true })
    const { codes } = await examine(stage)
    expect(codes[0]).toBe('NoSeries')
    expect(codes).toContain('PolicyPaused')
  })

  it("is not misled by another cluster's agents in the same Prometheus", async () => {
    const stage = unscraped()
    stage.world.prometheus.seams.addSeries(
      'couchestor_agent_scrape_success',
      { node: 'theirs', cluster: 'b' },
      { intervalSeconds: 60, value: () => 1 },
    )
    expect((await examine(stage)).codes).toContain('NoSeries')
    const configYaml = CONFIG.replace('}', ', matchers: {cluster: a}}')
    expect((await examine(stage, { configYaml })).codes[0]).toBe('AgentsNotScraped')
  })

  it('finds nothing where agents are scraped', async () => {
    const stage = healthy(2, SAFE, WORKLOADS)
    agents(stage, { annotations: { 'prometheus.io/scrape': 'true' } })
    expect((await examine(stage)).codes).not.toContain('AgentsNotScraped')
  })
})

describe('Kubernetes before 1.30', () => {
  const old = () => {
    const stage = new Stage({ cloud: SAFE, apiServer: { minor: 29 } })
    policy(stage, { ...SPEC, mode: 'Approve' })
    return stage
  }

  it('is named with what is held because of it', async () => {
    const { diagnosis } = await examine(old())
    const found = diagnosis.findings.find((f) => f.code === 'NoAdmissionPolicy')
    expect(found?.what).toContain(
      'v1.29.3 has no ValidatingAdmissionPolicy; mode Approve of tiered',
    )
  })

  it('is in order where config.yaml accepts plain RBAC', async () => {
    const configYaml = `${CONFIG}\nadmission: {accept_plain_rbac: true}`
    expect((await examine(old(), { configYaml })).codes).not.toContain('NoAdmissionPolicy')
  })
})

it('finds claims that name a VolumeAttributesClass', async () => {
  const stage = healthy()
  const pvc = stage.pvc('claim-1')
  const spec = { ...(pvc['spec'] as object), volumeAttributesClassName: 'gold' }
  stage.world.api.seed({ ...pvc, spec })
  const { codes, diagnosis } = await examine(stage)
  expect(codes).toEqual(['ClaimAttributesClass'])
  expect(diagnosis.findings.find((f) => f.code === 'ClaimAttributesClass')?.what).toContain(
    '(gold): default/claim-1',
  )
})

it('misses a check of who approves where the API server could make it', async () => {
  const stage = healthy()
  policy(stage, { ...SPEC, mode: 'Approve' })
  expect((await examine(stage)).codes).toEqual(['AdmissionMissing'])
  stage.world.api.seed({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: 'couchestor-migrations' },
    spec: {
      matchConstraints: {
        resourceRules: [{ apiGroups: ['couchestor.io'], resources: ['volumemigrations'] }],
      },
    },
  })
  expect((await examine(stage)).codes).toEqual([])
})
