/** Keystone of the public clouds that a `profile` of clouds.yaml may name, as openstacksdk knows them (those with v3). */
export const VENDOR_AUTH_URLS: Readonly<Record<string, string>> = {
  auro: 'https://api.van2.auro.io:5000/v3',
  binero: 'https://auth.binero.cloud:5000/v3',
  citycloud: 'https://{region_name}.citycloud.com:5000/v3/',
  dreamcompute: 'https://iad2.dream.io:5000',
  elastx: 'https://ops.elastx.cloud:5000/v3',
  entercloudsuite: 'https://api.entercloudsuite.com/',
  fuga: 'https://identity.api.fuga.io:5000',
  otc: 'https://iam.{region_name}.otc.t-systems.com/v3',
  'otc-swiss': 'https://iam-pub.eu-ch2.sc.otc.t-systems.com/v3',
  ovh: 'https://auth.cloud.ovh.net/v3',
  'ovh-us': 'https://auth.cloud.ovh.us/',
  switchcloud: 'https://identity.compute.cloud.switch.ch/v3',
  switchengines: 'https://keystone.cloud.switch.ch:5000/v3',
  vexxhost: 'https://auth.vexxhost.net/v3',
  zetta: 'https://identity.api.zetta.io/v3',
}
