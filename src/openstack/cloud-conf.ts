/** The `[Global]` section of a cloud.conf, as the Cinder CSI driver and the cloud controller manager read it. */
export type CloudConf = {
  /** Under the names of the environment. */
  readonly variables: Readonly<Record<string, string>>
  /** `use-clouds`: the credential is in a clouds.yaml. */
  readonly clouds?: { readonly cloud: string | undefined; readonly file: string | undefined }
}

const NAMES: Readonly<Record<string, readonly string[]>> = {
  'auth-url': ['OS_AUTH_URL'],
  'application-credential-id': ['OS_APPLICATION_CREDENTIAL_ID'],
  'application-credential-name': ['OS_APPLICATION_CREDENTIAL_NAME'],
  'application-credential-secret': ['OS_APPLICATION_CREDENTIAL_SECRET'],
  'user-id': ['OS_USER_ID'],
  username: ['OS_USERNAME'],
  password: ['OS_PASSWORD'],
  'tenant-id': ['OS_PROJECT_ID'],
  'project-id': ['OS_PROJECT_ID'],
  'tenant-name': ['OS_PROJECT_NAME'],
  'project-name': ['OS_PROJECT_NAME'],
  // for users and projects that have none of their own
  'domain-id': ['OS_DEFAULT_DOMAIN_ID'],
  'domain-name': ['OS_DEFAULT_DOMAIN_NAME'],
  'user-domain-id': ['OS_USER_DOMAIN_ID'],
  'user-domain-name': ['OS_USER_DOMAIN_NAME'],
  'tenant-domain-id': ['OS_PROJECT_DOMAIN_ID'],
  'project-domain-id': ['OS_PROJECT_DOMAIN_ID'],
  'tenant-domain-name': ['OS_PROJECT_DOMAIN_NAME'],
  'project-domain-name': ['OS_PROJECT_DOMAIN_NAME'],
  'trust-id': ['OS_TRUST_ID'],
  region: ['OS_REGION_NAME'],
  'os-endpoint-type': ['OS_INTERFACE'],
  'ca-file': ['OS_CACERT'],
  'cert-file': ['OS_CERT'],
  'key-file': ['OS_KEY'],
  'tls-insecure': ['OS_INSECURE'],
}

/** Reads a cloud.conf. What is no line of it is passed over: its other sections are not ours to judge. */
export function readCloudConf(text: string): CloudConf {
  const global = globalOf(text)
  const variables: Record<string, string> = {}
  for (const [key, value] of global)
    for (const name of NAMES[key] ?? []) if (value !== '') variables[name] = value
  if (!/^(true|yes|on|1)$/i.test(global.get('use-clouds') ?? '')) return { variables }
  const cloud = global.get('cloud') || undefined
  return { variables, clouds: { cloud, file: global.get('clouds-file') || undefined } }
}

/** Keys in lower case. A key alone is true; the last of several wins. */
function globalOf(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  let section = ''
  const lines = text
    .replace(/^\uFEFF/, '')
    // a line that ends in a backslash goes on
    .replaceAll(/\\\r?\n/g, '')
    .split(/\r?\n/)
  for (const line of lines) {
    const head = /^\s*\[\s*([^\]"]*?)\s*("[^"]*")?\s*\]/.exec(line)
    if (head !== null) section = head[2] === undefined ? (head[1] ?? '').toLowerCase() : ''
    const pair = /^\s*([a-z][a-z0-9-]*)\s*(?:=(.*))?$/i.exec(line)
    const [, key = '', value] = pair ?? []
    const bare = /^\s*[a-z][a-z0-9-]*\s*$/i.test(line)
    if (section === 'global' && pair !== null && (value !== undefined || bare))
      values.set(key.toLowerCase(), value === undefined ? 'true' : valueOf(value))
  }
  return values
}

/** Parts in double quotes, and parts without, up to a comment; escapes count in both. */
function valueOf(text: string): string {
  let value = ''
  let end = 0
  for (const [part] of text.matchAll(/"(?:[^"\\]|\\.)*"|(?:[^"#;\\]|\\.)+|[#;].*/gs)) {
    if (part.startsWith('#') || part.startsWith(';')) break
    if (part.startsWith('"')) {
      value += unescaped(part.slice(1, -1))
      end = value.length
    } else {
      value += unescaped(end === 0 ? part.trimStart() : part)
      end = Math.max(end, value.trimEnd().length)
    }
  }
  return value.slice(0, end)
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/gs, (_, c: string) => ESCAPES[c] ?? c)
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', b: '\b' }
