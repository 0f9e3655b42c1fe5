import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WORLD_ORIGINS } from '../../src/sim/world.ts'
import { behindAProxy } from './behind-a-proxy.ts'
import type { Behind } from './behind-a-proxy.ts'

const DOCTOR = ['doctor', '--output', 'json', '--prometheus', WORLD_ORIGINS.prometheus]

let behind: Behind
afterEach(() => behind.close())

/** Hosts that were asked for through the proxy. */
const hosts = () =>
  [...new Set(behind.proxy.seen.map((s) => new URL(s.split(' ')[1] ?? '').hostname))].toSorted()

const ALL = ['cinder.sim', 'keystone.sim', 'kube.sim', 'prometheus.sim']

describe('a cluster and a cloud that are reached through a proxy only', () => {
  beforeEach(async () => {
    behind = await behindAProxy({ credentials: 'user:proxy-password' })
  })
  const withCredentials = () => behind.proxy.url.replace('//', '//user:proxy-password@')

  it('are diagnosed with HTTP_PROXY: API server, Keystone, Cinder and Prometheus', async () => {
    const { out, err } = await behind.run(DOCTOR, { HTTP_PROXY: withCredentials() })
    expect(hosts()).toEqual(ALL)
    expect(out).not.toMatch(/got no answer|ConnectionError/)
    expect(out + err).not.toContain('proxy-password')
  })

  it('what NO_PROXY names is reached directly, and the rest through the proxy', async () => {
    const env = { HTTP_PROXY: withCredentials(), NO_PROXY: '127.0.0.0/8' }
    await behind.run(DOCTOR, env, `http://${behind.direct('kube')}`)
    expect(hosts()).toEqual(ALL.filter((host) => host !== 'kube.sim'))
  })

  it('the controller works through it, watches included', async () => {
    const kubeconfig = behind.kubeconfig()
    const stop = behind.start(
      [
        'controller',
        '--kubeconfig',
        kubeconfig,
        '--leader-elect=false',
        '--metrics-port=0',
        '--health-port=0',
      ],
      { HTTP_PROXY: withCredentials() },
    )
    const watches = () => behind.proxy.seen.some((s) => /kube\.sim.*watch=/.test(s))
    await expect.poll(watches, { timeout: 60_000 }).toBe(true)
    await expect.poll(hosts, { timeout: 60_000 }).toContain('cinder.sim')
    const log = await stop()
    expect(log).not.toContain('proxy-password')
  })

  it('the exporter works through it', async () => {
    const stop = behind.start(['exporter', '--metrics-port', '0'], {
      http_proxy: withCredentials(),
    })
    await expect
      .poll(hosts, { timeout: 60_000 })
      .toEqual(['cinder.sim', 'gnocchi.sim', 'keystone.sim'])
    expect(await stop()).not.toContain('proxy-password')
  })

  it('a proxy that refuses is a finding of the doctor for Keystone and for Prometheus', async () => {
    const { out } = await behind.run(
      [...DOCTOR, '--timeout', '3'],
      {
        HTTP_PROXY: behind.proxy.url.replace('//', '//user:wrong-password@'),
        NO_PROXY: '127.0.0.1',
      },
      `http://${behind.direct('kube')}`,
    )
    const { findings } = JSON.parse(out) as { findings: { code: string; what: string }[] }
    const refused = findings.filter((f) => f.code === 'ProxyRefused').map((f) => f.what)
    expect(out).not.toContain('wrong-password')
    expect(refused).toEqual([
      expect.stringMatching(/keystone\.sim through the proxy .*\(HTTP_PROXY\): .* 407/),
      expect.stringMatching(/prometheus\.sim.* through the proxy .*\(HTTP_PROXY\): .* 407/),
    ])
  })

  it('a proxy variable that is no URL ends with one sentence that names it', async () => {
    const { code, out, err } = await behind.run(DOCTOR, { HTTPS_PROXY: 'ftp://u:pass-word@x' })
    expect(code).not.toBe(0)
    expect(out + err).toMatch(/HTTPS_PROXY is "ftp:\/\/\[hidden\]@x", which is not the URL/)
    expect(out + err).not.toMatch(/pass-word|\n\s+at /)
  })
})
