import type { PrometheusSourceConfig } from '../../activity/prometheus/config.ts'
import type { ActivitySource, Fleet } from '../../activity/types.ts'
import type { Config } from '../../api/config.ts'
import type { HttpClient } from '../../http.ts'
import type { Transport } from '../../kube/transport.ts'
import type { KubeClient } from '../../kube/types.ts'
import type { Log } from '../../log.ts'
import type { Credentials } from '../../openstack/credentials.ts'
import type { Session } from '../../openstack/session.ts'
import type { Limits } from './fact.ts'
import type { Observations } from './observed-http.ts'

export type KubeConnection = {
  readonly client: KubeClient
  /** For what is no resource: /version, /openapi. */
  readonly transport: Transport
  readonly server: string
  readonly seen: Observations
}

export type CloudConnection = {
  readonly credentials: Credentials
  readonly session: Session
  /** For a request without a token, to see at once whether anything answers. */
  readonly http: HttpClient
  readonly seen: Observations
}

export type PrometheusConnection = {
  readonly http: HttpClient
  readonly config: PrometheusSourceConfig
  readonly seen: Observations
}

/** All that reaches the doctor from outside. None of the clients can change anything. */
export type DoctorDeps = Limits & {
  /** [0, 1). */
  readonly random: () => number
  readonly log: Log
  readonly namespace: string
  /** Only what concerns this policy is checked; undefined = all. */
  readonly policy: string | undefined
  /** Of this program. */
  readonly version: string
  readonly kube: KubeConnection
  readonly readFile: (path: string) => Promise<string>
  /** Reads the credential. Throws `UserError` where there is none. */
  readonly connectCloud: (config: Config) => Promise<CloudConnection>
  /** Undefined without an endpoint. Throws `UserError` for a configuration that cannot work. */
  readonly connectPrometheus: (config: Config) => PrometheusConnection | undefined
  /** Throws `UserError` for a configuration that cannot work. */
  readonly connectGnocchi: (config: Config, session: Session, fleet: Fleet) => ActivitySource
}
