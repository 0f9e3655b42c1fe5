import type { Problem } from '../errors.ts'
import { isForbidden } from './missing-right.ts'
import { ConnectionError } from '../http.ts'
import { orWithout } from '../proxy.ts'
import { ApiError } from './types.ts'

/**
 * What is wrong, with the fix, for a failure that is between this program and the API server: the address, the certificates,
 * the credential or a missing right. undefined for anything else.
 */
export function accessProblem(
  e: unknown,
  server: string,
  source = 'the kubeconfig',
): Problem | undefined {
  if (e instanceof ConnectionError) return connectionProblem(e, server, source)
  if (e instanceof ApiError) return refusal(e, source)
  return undefined
}

/** Something else listens there: a portal, a proxy's page, another service. */
export function notKubernetes(server: string, source: string): Problem {
  return {
    what: `what answers at ${server} is not an API server of Kubernetes`,
    fix: `correct the server in ${source}`,
  }
}

export function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null
  } catch {
    return false
  }
}

function connectionProblem(e: ConnectionError, server: string, source: string): Problem {
  const proxied = proxyProblem(e, server)
  if (proxied !== undefined) return proxied
  const said = reasonIn(e.message)
  switch (e.failure) {
    case 'dns':
      return {
        what: `the name of the API server ${server} is not known here${said}`,
        fix: `correct the server in ${source}, or connect to the network that knows it`,
      }
    case 'refused':
      return {
        what: `nothing answers at the API server ${server}${said}`,
        fix: `start the cluster, or correct the server in ${source}`,
      }
    case 'timeout':
      return {
        what: `the API server ${server} does not answer in time`,
        fix: `check the network, VPN or firewall between, or correct the server in ${source}`,
      }
    case 'tls':
      return tlsProblem(said, server, source)
    case 'aborted':
    case 'reset':
      return {
        what: `the API server ${server} breaks the connection without an answer${said}`,
        fix: `check that the server in ${source} is right, also http or https, and any proxy between`,
      }
  }
}

/** What is wrong with the proxy in front of it: nothing is known of the server then. */
function proxyProblem({ failure, message }: ConnectionError, server: string): Problem | undefined {
  const [, proxy, from = '', what = ''] =
    / through the proxy (\S+) \(([^)]*)\): (.*)$/s.exec(message) ?? []
  if (proxy === undefined || failure === 'aborted') return undefined
  const to = `the API server ${server}`
  if (what.startsWith('the proxy '))
    return { what: `${to} is not reached through ${proxy} (${from}): ${what}` }
  // behind the tunnel it is the server's own certificate that is refused
  if (failure === 'tls') return undefined
  return {
    what: `${to} is not reached through the proxy ${proxy} (${from}): ${what}`,
    fix: `correct ${from}${orWithout(from)}`,
  }
}

function tlsProblem(said: string, server: string, source: string): Problem {
  if (/ALERT|CERTIFICATE_REQUIRED/.test(said))
    return {
      what: `the API server ${server} refuses the client certificate${said}`,
      fix: `renew it (log in again) and put the new one into ${source}`,
    }
  if (/ALTNAME/.test(said))
    return {
      what: `the certificate of the API server ${server} is for another name${said}`,
      fix: `correct the server in ${source}, or set tls-server-name there`,
    }
  if (/EXPIRED/.test(said))
    return {
      what: `the certificate of the API server ${server} has expired${said}`,
      fix: 'renew it on the server',
    }
  if (/NOT_YET_VALID/.test(said))
    return {
      what: `the certificate of the API server ${server} is not valid yet${said}`,
      fix: 'correct the clock of this machine or the server',
    }
  if (/WRONG_VERSION_NUMBER|HTTP_REQUEST/.test(said))
    return {
      what: `what listens at ${server} does not speak TLS${said}`,
      fix: `correct the server in ${source}: another port, or http`,
    }
  if (!/SELF_SIGNED|UNABLE_TO|ISSUER|UNTRUSTED|SIGNATURE/.test(said))
    return {
      what: `no TLS connection with the API server ${server} comes about${said}`,
      fix: `check the certificates in ${source}, and any proxy between`,
    }
  return {
    what: `the certificate of the API server ${server} is not signed by an authority that is trusted here${said}`,
    fix: `set certificate-authority-data in ${source} to the cluster's own`,
  }
}

function refusal(e: ApiError, source: string): Problem | undefined {
  if (e.status === 401)
    return {
      what: `the API server does not accept the credential of ${source} (401 Unauthorized)`,
      fix: 'log in again, or choose another user with --context or --user',
    }
  if (isForbidden(e))
    return {
      what: `the API server does not allow it: ${saidBy(e)}`,
      fix: 'ask an administrator for a role with this rule, such as ClusterRole couchestor-operate, or couchestor-view to read policies and moves',
    }
  if (e.status === 404 && /could not find the requested resource|couchestor\.io/.test(e.message))
    return {
      what: `the API server does not know the kinds of CoucheStor (${saidBy(e)})`,
      fix: 'install them with the Helm chart, or with kubectl apply -f deploy/crds/',
    }
  return {
    what: `the API server answers ${e.status} ${e.reason}: ${saidBy(e)}`,
    fix: 'try again, and see its log if it stays so',
  }
}

/** What the server said, without what was asked: `GET /path: 403 Forbidden: ` goes before it. */
function saidBy(e: ApiError): string {
  return e.message
    .replace(/^[A-Z]+ \S+: \d+ \w+: /, '')
    .replace(/\s+/g, ' ')
    .replace(/[.\s]+$/, '')
}

/** ` (ECONNREFUSED)` of `GET https://…: refused (ECONNREFUSED)`, where advice may follow. */
function reasonIn(message: string): string {
  const own = message.replace(/ through the proxy \S+ \([^)]*\)/, '')
  return / \([^)]*\)(?=$|: )/.exec(own)?.[0] ?? ''
}
