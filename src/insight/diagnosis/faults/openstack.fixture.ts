import { known, unknown } from '../fact.ts'
import { CONFIG_YAML, DAY, NOW, configOf } from '../facts.fixture.ts'
import { app, line, login, withRoles } from './fault.fixture.ts'
import type { Fault } from './fault.fixture.ts'

export const OPENSTACK: readonly Fault[] = [
  [
    'there is no credential',
    { cloud: { credential: unknown('OS_AUTH_URL is missing') } },
    'CredentialMissing',
    'OS_AUTH_URL',
    'OS_APPLICATION_CREDENTIAL_ID',
  ],
  [
    'the credential is refused',
    { cloud: { login: unknown('Keystone refused application credential "a1": 401') } },
    'CredentialRefused',
    '401',
    'application credential create',
  ],
  [
    'OS_AUTH_URL is not Keystone',
    {
      cloud: {
        login: unknown(
          'OS_AUTH_URL https://keystone.example.com:5000/v3 does not lead to Keystone v3: the login answered 404',
        ),
      },
    },
    'AuthUrlWrong',
    'answered 404',
    'openstack catalog show identity',
  ],
  [
    'a proxy refuses the way to Cinder',
    {
      cloud: {
        volumeEndpoint: unknown(
          'GET https://cinder.example.com:8776 through the proxy http://proxy:3128 (HTTPS_PROXY): the proxy answered 407',
        ),
      },
    },
    'ProxyRefused',
    'http://proxy:3128 (HTTPS_PROXY)',
    'NO_PROXY',
  ],
  [
    'Keystone is away',
    {
      cloud: {
        login: unknown('no answer'),
        unreachable: new Map([['https://keystone.example.com:5000', 'refused']]),
      },
    },
    'KeystoneUnreachable',
    'refused',
    'NetworkPolicy',
  ],
  [
    'the certificate is not trusted',
    {
      cloud: {
        login: unknown('no answer'),
        unreachable: new Map([['https://keystone.example.com:5000', 'tls']]),
      },
    },
    'TlsRefused',
    'keystone',
    'openstack.ca_file',
  ],
  [
    'the credential ends tomorrow',
    { cloud: { applicationCredentialEnd: known(NOW + DAY) } },
    'CredentialExpired',
    'in 1.0 days',
    'application credential create',
  ],
  [
    'the credential ends in a fortnight',
    { cloud: { applicationCredentialEnd: known(NOW + 14 * DAY) } },
    'CredentialExpiresSoon',
    '2026-06-15',
    'application credential create',
  ],
  [
    'the credential may make others',
    {
      cloud: {
        login: known({
          ...login,
          roles: ['member'],
          applicationCredential: { ...app, restricted: false },
        }),
      },
    },
    'CredentialUnrestricted',
    'operator',
    'without --unrestricted',
  ],
  [
    'the credential is an administrator',
    withRoles('member', 'admin'),
    'CredentialIsAdmin',
    'admin',
    '--role member',
  ],
  [
    'the credential may only read',
    withRoles('reader'),
    'RoleTooSmall',
    'roles: reader',
    '--project shop member',
  ],
  [
    'the catalog lacks Cinder',
    {
      cloud: {
        volumeEndpoint: unknown(
          'the service catalog has no public block-storage endpoint in region "X"',
        ),
      },
    },
    'CinderEndpointMissing',
    'region "X"',
    'openstack.region',
  ],
  [
    'Cinder is away',
    {
      cloud: {
        volumeEndpoint: unknown('no answer'),
        unreachable: new Map([['https://cinder.example.com:8776', 'refused']]),
      },
    },
    'CinderUnreachable',
    'cinder.example.com:8776: refused',
    'openstack.interface',
  ],
  [
    'certificates are not verified',
    { config: configOf(`${CONFIG_YAML}\nopenstack: {insecure: true}`) },
    'TlsNotVerified',
    'insecure',
    'ca_file',
  ],
  [
    'Cinder is asked without TLS',
    { cloud: { volumeEndpoint: known('http://cinder.example.com:8776/v3/p1') } },
    'PlainHttp',
    'http://cinder.example.com:8776',
    'https',
  ],
  [
    'no region is chosen',
    {
      cloud: {
        regions: known(['East', 'West']),
        credential: known({
          authUrl: 'https://k/v3',
          kind: 'applicationCredential',
          interface: 'public',
          region: undefined,
          insecure: false,
        }),
      },
    },
    'RegionAmbiguous',
    'East is used',
    'OS_REGION_NAME=East',
  ],
  [
    'Cinder is old',
    { cloud: { microversion: known([3, 59]) } },
    'CinderOld',
    '3.59',
    'upgrade Cinder',
  ],
  [
    'a backend is down',
    { cloud: { services: known([{ host: 'h@hot', state: 'down', status: 'enabled' }]) } },
    'VolumeServiceDown',
    'h@hot (down, enabled)',
    'openstack volume service',
  ],
  [
    'Prometheus is a minute and a half ahead',
    { clocks: [{ service: 'Prometheus', at: 'http://p', aheadMs: 90_000 }] },
    'ClockWrong',
    '90.0 s ahead',
    'chrony',
  ],
  [
    'Keystone is ten seconds behind',
    { clocks: [{ service: 'OpenStack', at: 'http://k', aheadMs: -10_000 }] },
    'ClockSkewed',
    '10.0 s behind',
    'chrony',
  ],
  [
    'a tier is full',
    { cloud: { quota: known(new Map([['gigabytes_couchestor-cold', line(10, 10)]])) } },
    'QuotaFull',
    'gigabytes_couchestor-cold: 10 of 10',
    '--volume-type couchestor-cold --gigabytes 20 shop',
  ],
  [
    'a quota of a tier below what is used already',
    { cloud: { quota: known(new Map([['gigabytes_couchestor-cold', line(10, 50)]])) } },
    'QuotaFull',
    'gigabytes_couchestor-cold: 50 of 10 used',
    '--gigabytes 100 ',
  ],
  [
    'a tier is nearly full',
    { cloud: { quota: known(new Map([['volumes_couchestor-hot', line(100, 95)]])) } },
    'QuotaTight',
    'volumes_couchestor-hot: 95 of 100',
    '--volumes 200',
  ],
  [
    'two clusters share the project',
    {
      fleet: {
        clusters: new Map([
          ['blue', 3],
          ['green', 1],
        ]),
      },
    },
    'SharedProject',
    'blue (3 volumes), green (1 volume)',
    'project of its own',
  ],
  [
    'volumes are left over',
    { fleet: { strays: ['s1', 's2', 's3', 's4'] } },
    'StrayVolumes',
    '4 volumes: s1, s2, s3 and 1 more',
    'openstack volume show s1',
  ],
]
