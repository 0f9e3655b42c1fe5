import { call } from './raw-http.ts'
import type { Answer, CallOptions } from './raw-http.ts'

export type PasswordLogin = {
  readonly username: string
  readonly password: string
  readonly project: string
}
export type CredentialLogin = { readonly id: string; readonly secret: string }

/** A cloud the contract is tried on: three projects, an application credential, types hot, warm and cold on backends of their own. */
export type CloudTarget = {
  /** With `/v3`, as OS_AUTH_URL. */
  readonly authUrl: string
  readonly admin: PasswordLogin
  readonly couchestor: PasswordLogin
  readonly other: PasswordLogin
  /** Of user couchestor. */
  readonly operator: CredentialLogin
  /** Begins the names of everything the run makes. */
  readonly prefix: string
  /** Wall time of the cloud, ms. */
  now(): number
  /** Lets time pass: real time on real parts, the clock's on the simulator. */
  pass(ms: number): Promise<void>
  /** Does `work` while no volume service does any: what has been asked of it stays under way. */
  underWay<T>(work: () => Promise<T>): Promise<T>
  stop(): Promise<void>
}

export type Session = {
  readonly token: string
  readonly projectId: string
  readonly userId: string
  /** Volume endpoint as the catalog reports it, `…/v3/{project}`. */
  readonly volumeUrl: string
  /** One request below the volume endpoint; microversion 3.66 unless given. */
  cinder(method: string, path: string, options?: CallOptions): Promise<Answer>
}

export const passwordAuth = (login: PasswordLogin) => ({
  auth: {
    identity: {
      methods: ['password'],
      password: {
        user: { name: login.username, password: login.password, domain: { name: 'Default' } },
      },
    },
    scope: { project: { name: login.project, domain: { name: 'Default' } } },
  },
})

export const credentialAuth = (login: CredentialLogin) => ({
  auth: {
    identity: {
      methods: ['application_credential'],
      application_credential: { id: login.id, secret: login.secret },
    },
  },
})

/** Logs in with the body of a token request; throws when it is refused. */
export async function openSession(target: CloudTarget, auth: unknown): Promise<Session> {
  const answer = await call('POST', `${target.authUrl}/auth/tokens`, { body: auth })
  if (answer.status !== 201) throw new Error(`login: ${answer.status} ${answer.text}`)
  const token = answer.headers['x-subject-token']!
  const { project, user, catalog } = answer.body.token
  const volumeUrl: string = catalog
    .find((entry: { type: string }) => entry.type === 'volumev3')
    .endpoints.find((e: { interface: string }) => e.interface === 'public').url
  return {
    token,
    projectId: project.id,
    userId: user.id,
    volumeUrl,
    cinder: (method, path, options = {}) =>
      call(method, `${volumeUrl}${path}`, { token, minor: 66, ...options }),
  }
}
