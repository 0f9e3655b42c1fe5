import { readFile } from 'node:fs/promises'
import { basicAuthorization, bearerAuthorization } from '../activity/prometheus/authorization.ts'
import type { PrometheusSourceConfig } from '../activity/prometheus/config.ts'
import type { Config } from '../api/config.ts'
import { UserError } from '../errors.ts'
import { readPem } from '../http.ts'
import type { HttpOptions } from '../http.ts'

/** `prometheus` of config.yaml as the source wants it. Throws `UserError` when no endpoint is given. */
export function prometheusSourceConfig({ prometheus: p }: Config): PrometheusSourceConfig {
  if (p.endpoint === undefined) {
    throw new UserError('ConfigInvalid', NO_PROMETHEUS.what, { fix: NO_PROMETHEUS.fix })
  }
  const authorization = authorizationOf(p.auth)
  return {
    endpoint: p.endpoint,
    queryTimeoutMs: p.queryTimeoutMs,
    preset: p.preset,
    lagSeconds: p.lagMs / 1000,
    matchers: p.matchers,
    headers: p.headers,
    ...(p.queries === undefined ? {} : { custom: p.queries }),
    ...(p.scrapeIntervalMs === undefined
      ? {}
      : { scrapeIntervalSeconds: p.scrapeIntervalMs / 1000 }),
    ...(authorization === undefined ? {} : { authorization }),
  }
}

export const NO_PROMETHEUS = {
  what: 'no Prometheus is configured',
  fix: 'set prometheus.endpoint in config.yaml to a URL such as http://prometheus-server.monitoring.svc:9090, or metrics.source to Gnocchi',
}

function authorizationOf({
  basic,
  bearerTokenFile,
}: Config['prometheus']['auth']): (() => Promise<string>) | undefined {
  if (basic) return basicAuthorization(basic.username, () => readFile(basic.passwordFile, 'utf8'))
  if (bearerTokenFile) return bearerAuthorization(() => readFile(bearerTokenFile, 'utf8'))
  return undefined
}

export function prometheusTls({ prometheus: { tls } }: Config): HttpOptions {
  return {
    ...(tls.caFile === undefined ? {} : { ca: readPem(tls.caFile, 'prometheus.tls.ca_file') }),
    ...(tls.certFile === undefined
      ? {}
      : { cert: readPem(tls.certFile, 'prometheus.tls.cert_file') }),
    ...(tls.keyFile === undefined ? {} : { key: readPem(tls.keyFile, 'prometheus.tls.key_file') }),
    insecureSkipVerify: tls.insecureSkipVerify,
  }
}
