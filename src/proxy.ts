import { BlockList, isIP } from 'node:net'
import { UserError } from './errors.ts'

/** A proxy on the way to a server. Its credentials are kept apart, so that no message can show them. */
export type Proxy = {
  /** `http://host:port`, without credentials. */
  readonly url: string
  /** Where it was set: `HTTPS_PROXY`, or a field of a file. */
  readonly from: string
  /** Value of Proxy-Authorization. */
  readonly authorization?: string
  /** For SOCKS, which has no headers. */
  readonly username?: string
  readonly password?: string
}

/** The proxy for requests to a URL; undefined = straight to it. */
export type ProxyChoice = (target: URL) => Proxy | undefined

type Env = Readonly<Record<string, string | undefined>>

/**
 * The proxies of HTTPS_PROXY, HTTP_PROXY and NO_PROXY, also in lower case, as kubectl and other Go programs read them.
 * Throws `UserError` (PROXY) for a value that cannot be used.
 */
export function proxiesFrom(env: Env): ProxyChoice {
  const byProtocol: Readonly<Record<string, Proxy | undefined>> = {
    'https:': proxyOf(env, 'HTTPS_PROXY'),
    'http:': proxyOf(env, 'HTTP_PROXY'),
  }
  const isException = exceptionsOf(setIn(env, 'NO_PROXY')?.value ?? '')
  return (target) => {
    const proxy = byProtocol[target.protocol]
    if (proxy === undefined || isException(target) || isOwnMachine(target, proxy)) return undefined
    return proxy
  }
}

/** One proxy for everything, such as `proxy-url` of a kubeconfig. Throws `UserError` (PROXY). */
export function fixedProxy(value: string, from: string): ProxyChoice {
  const proxy = parseProxy(value, from)
  return () => proxy
}

/** "http://proxy:3128 (HTTPS_PROXY)" */
export function describeProxy({ url, from }: Proxy): string {
  return `${url} (${from})`
}

/** Advice that holds for the variables only: NO_PROXY makes no exception from `proxy-url` of a kubeconfig. */
export function orWithout(from: string): string {
  return /^https?_proxy$/i.test(from)
    ? ', or add the host to NO_PROXY if it can be reached directly'
    : ''
}

function setIn(env: Env, name: string): { name: string; value: string } | undefined {
  for (const spelling of [name, name.toLowerCase()]) {
    const value = env[spelling]?.trim()
    if (value) return { name: spelling, value }
  }
  return undefined
}

function proxyOf(env: Env, name: string): Proxy | undefined {
  const set = setIn(env, name)
  return set && parseProxy(set.value, set.name)
}

const SCHEMES = new Set(['http:', 'https:', 'socks5:', 'socks5h:'])

function parseProxy(value: string, from: string): Proxy {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`
  const url = URL.canParse(text) ? new URL(text) : undefined
  // `user:pass/word@proxy`: an unescaped / or # makes the user the host, and the password part of its port
  const cut = url !== undefined && `${url.pathname}${url.search}${url.hash}`.includes('@')
  if (url === undefined || cut || !SCHEMES.has(url.protocol) || url.hostname === '')
    throw new UserError(
      'ProxyInvalid',
      `${from} is "${withoutCredentials(value)}", which is not the URL of a proxy`,
      { fix: 'set it to http://host:port, https://host:port or socks5://host:port, or unset it' },
    )
  const username = decoded(url.username)
  const password = decoded(url.password)
  // the name is resolved by the proxy either way
  const protocol = url.protocol === 'socks5h:' ? 'socks5:' : url.protocol
  return {
    url: `${protocol}//${url.host}`,
    from,
    ...(username === '' && password === ''
      ? {}
      : {
          username,
          password,
          authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
        }),
  }
}

/** A password with a stray % is taken as it stands. */
function decoded(text: string): string {
  return text.replaceAll(/(%[0-9a-f]{2})+/gi, (encoded) => {
    try {
      return decodeURIComponent(encoded)
    } catch {
      return encoded
    }
  })
}

function withoutCredentials(value: string): string {
  return value.replace(/^([^/]*:\/\/)?.*@/s, '$1[hidden]@').split(/[?#]/)[0]!
}

/** A loopback address means this machine only here, and to a proxy that runs here too. */
function isOwnMachine(target: URL, proxy: Proxy): boolean {
  return isLoopback(hostOf(target)) && !isLoopback(hostOf(new URL(proxy.url)))
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/** In lower case, IPv6 without brackets, a name without the root's dot. */
function hostOf(url: URL): string {
  return tidyHost(url.hostname)
}

function tidyHost(host: string): string {
  const bare = host.toLowerCase().replace(/^\[(.*)\]$/, '$1')
  return bare.length > 1 ? bare.replace(/\.$/, '') : bare
}

type Exception = (host: string, port: number) => boolean

/** A value of NO_PROXY: `*`, names with their subdomains, `.name` for subdomains only, addresses, networks; each with a port or without. */
function exceptionsOf(value: string): (target: URL) => boolean {
  const exceptions = value
    .split(/[,\s]+/)
    .filter((entry) => entry !== '')
    .map(exceptionOf)
  return (target) => {
    const host = hostOf(target)
    const port = Number(target.port) || (target.protocol === 'https:' ? 443 : 80)
    return exceptions.some((matches) => matches(host, port))
  }
}

function exceptionOf(entry: string): Exception {
  const network = networkOf(entry)
  if (network !== undefined) return network
  const [, name = '', port] = /^(\[[^\]]*\]|[^:]*|.*:.*:.*?)(?::(\d+))?$/.exec(entry) ?? [
    '',
    entry,
    undefined,
  ]
  const onPort = (other: number) => port === undefined || Number(port) === other
  const host = tidyHost(name)
  if (host === '*') return (_, other) => onPort(other)
  if (isIP(host) !== 0) {
    const list = new BlockList()
    list.addAddress(host, familyOf(host))
    return (other, otherPort) => onPort(otherPort) && contains(list, other)
  }
  // `*.name` is `.name`
  const suffix = host.startsWith('*.') ? host.slice(1) : host
  const within = suffix.startsWith('.') ? suffix : `.${suffix}`
  return (other, otherPort) =>
    onPort(otherPort) && (other.endsWith(within) || (within !== suffix && other === suffix))
}

/** `10.0.0.0/8`, `fd00::/8`. Only addresses are matched: names are not resolved for it. */
function networkOf(entry: string): Exception | undefined {
  const [, address = '', bits = ''] = /^([^/]+)\/(\d+)$/.exec(entry) ?? []
  const host = tidyHost(address)
  const family = isIP(host)
  if (family === 0 || Number(bits) > (family === 4 ? 32 : 128)) return undefined
  const list = new BlockList()
  list.addSubnet(host, Number(bits), familyOf(host))
  return (other) => contains(list, other)
}

function contains(list: BlockList, host: string): boolean {
  return isIP(host) !== 0 && list.check(host, familyOf(host))
}

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4')
