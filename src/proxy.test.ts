import { expect, it } from 'vitest'
import { fixedProxy, proxiesFrom } from './proxy.ts'

const PROXIES = { HTTP_PROXY: 'http://proxy.corp:3128', HTTPS_PROXY: 'http://secure.corp:3128' }

function proxied(url: string, env: Record<string, string | undefined> = {}): string | undefined {
  return proxiesFrom({ ...PROXIES, ...env })(new URL(url))?.url
}

it.each([
  ['https://api.example/', 'http://secure.corp:3128'],
  ['http://prometheus.example/', 'http://proxy.corp:3128'],
])('%s goes through the proxy of its scheme', (url, proxy) => {
  expect(proxied(url)).toBe(proxy)
})

it('https does not go through HTTP_PROXY, nor http through HTTPS_PROXY', () => {
  expect(proxied('https://a.example/', { HTTPS_PROXY: undefined })).toBeUndefined()
  expect(proxied('http://a.example/', { HTTP_PROXY: '' })).toBeUndefined()
})

it('a variable in lower case counts too, and an empty one not', () => {
  const env = { HTTPS_PROXY: '', https_proxy: 'lower.corp:8080' }
  expect(proxied('https://a.example/', env)).toBe('http://lower.corp:8080')
  expect(proxied('https://a.example/', { no_proxy: 'a.example' })).toBeUndefined()
})

it.each<[string, string, boolean]>([
  ['*', 'https://anything.example/', true],
  [' other.example , * ', 'https://anything.example/', true],
  ['*:443', 'https://anything.example/', true],
  ['*:443', 'https://anything.example:8443/', false],
  ['example.com', 'https://example.com/', true],
  ['example.com', 'https://api.example.com/', true],
  ['example.com', 'https://notexample.com/', false],
  ['EXAMPLE.com', 'https://Api.Example.COM/', true],
  ['example.com.', 'https://example.com./', true],
  ['.example.com', 'https://api.example.com/', true],
  ['.example.com', 'https://example.com/', false],
  ['*.example.com', 'https://a.b.example.com/', true],
  ['*.example.com', 'https://example.com/', false],
  ['.svc,.cluster.local', 'http://prometheus.monitoring.svc:9090/', true],
  ['.svc,.cluster.local', 'http://prometheus.monitoring.svc.cluster.local:9090/', true],
  ['example.com:8443', 'https://example.com:8443/', true],
  ['example.com:8443', 'https://example.com/', false],
  ['example.com:443', 'https://example.com/', true],
  ['example.com:80', 'http://example.com/', true],
  ['10.96.0.1', 'https://10.96.0.1/', true],
  ['10.96.0.1', 'https://10.96.0.10/', false],
  ['10.96.0.1:443', 'https://10.96.0.1/', true],
  ['10.96.0.1:6443', 'https://10.96.0.1/', false],
  ['10.96.0.0/12', 'https://10.111.255.1/', true],
  ['10.96.0.0/12', 'https://10.112.0.1/', false],
  ['10.0.0.0/8', 'https://ten.example/', false],
  ['0.0.0.0/0', 'https://8.8.8.8/', true],
  ['fd00::/8', 'https://[fd12::1]/', true],
  ['fd00::/8', 'https://[2001:db8::1]/', false],
  ['::/0', 'https://[2001:db8::1]/', true],
  ['2001:db8::1', 'https://[2001:db8:0::1]/', true],
  ['[2001:db8::1]', 'https://[2001:db8::1]:6443/', true],
  ['[2001:db8::1]:6443', 'https://[2001:db8::1]:6443/', true],
  ['[2001:db8::1]:6443', 'https://[2001:db8::1]/', false],
  ['10.0.0.0/99', 'https://10.0.0.1/', false],
  ['', 'https://api.example/', false],
  [',,', 'https://api.example/', false],
])('NO_PROXY "%s" for %s: %s', (NO_PROXY, url, direct) => {
  expect(proxied(url, { NO_PROXY }) === undefined).toBe(direct)
})

it.each(['http://localhost:9090/', 'http://127.0.0.1/', 'http://[::1]:8080/'])(
  '%s is this machine and no other, except for a proxy that runs here too',
  (url) => {
    expect(proxied(url)).toBeUndefined()
    expect(proxied(url, { HTTP_PROXY: 'http://127.0.0.1:3128' })).toBe('http://127.0.0.1:3128')
  },
)

it.each([
  'ftp://proxy.corp',
  'http://',
  'http://us:sec-ret@:x',
  'us:sec-ret@proxy:port',
  'http://us:12/sec-ret@proxy.corp:3128',
  'http://us:12#sec-ret@proxy.corp:3128',
  'us:1?sec-ret@proxy.corp:3128',
  'http://sec-ret/@proxy.corp:3128',
  'http://p:port',
])(
  'HTTPS_PROXY "%s" is refused with the variable and the fix, and without its credentials',
  (HTTPS_PROXY) => {
    const read = () => proxiesFrom({ HTTPS_PROXY })
    expect(read).toThrow(/HTTPS_PROXY is ".*", which is not the URL of a proxy: set it to/)
    expect(read).not.toThrow(/sec-ret/)
  },
)

it.each([
  ['socks5://127.0.0.1:1080', 'socks5://127.0.0.1:1080'],
  ['socks5h://127.0.0.1:1080', 'socks5://127.0.0.1:1080'],
  ['https://proxy.corp', 'https://proxy.corp'],
  ['http://user:secret@proxy.corp:3128/', 'http://proxy.corp:3128'],
  ['user:secret@proxy.corp:3128', 'http://proxy.corp:3128'],
])('%s is a proxy, shown as %s', (value, url) => {
  expect(fixedProxy(value, 'x')(new URL('https://a.example'))?.url).toBe(url)
})
