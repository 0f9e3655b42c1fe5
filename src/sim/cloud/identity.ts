import type { Clock } from '../../clock.ts'
import type { Ids } from './ids.ts'
import type { Caller } from './model.ts'

export type ProjectRow = { readonly id: string; readonly name: string }
export type UserRow = {
  readonly id: string
  readonly name: string
  password: string
  enabled: boolean
  readonly defaultProjectId: string
  /** Role names by project id. */
  readonly roles: Map<string, readonly string[]>
}
export type AppCredentialRow = {
  readonly id: string
  readonly name: string
  readonly secret: string
  readonly userId: string
  readonly projectId: string
  readonly roles: readonly string[]
  /** ms; undefined = never. */
  readonly expiresAt: number | undefined
  readonly unrestricted: boolean
}
export type TokenRow = {
  readonly value: string
  readonly auditId: string
  readonly userId: string
  readonly projectId: string
  readonly roles: readonly string[]
  readonly method: 'password' | 'application_credential' | 'token'
  readonly appCredentialId: string | undefined
  readonly issuedAt: number
  readonly expiresAt: number
  revoked: boolean
}

/** Users, projects, credentials and tokens: what Keystone keeps. */
export type Identity = {
  readonly projects: Map<string, ProjectRow>
  readonly users: Map<string, UserRow>
  readonly appCredentials: Map<string, AppCredentialRow>
  readonly tokens: Map<string, TokenRow>
  roleId(name: string): string
  addProject(name: string): ProjectRow
  addUser(name: string, password: string, project: ProjectRow, roles: readonly string[]): UserRow
  addAppCredential(row: Omit<AppCredentialRow, 'id' | 'secret'>): AppCredentialRow
  /** Also ends every token made with it. */
  removeAppCredential(id: string): void
  issue(
    row: Pick<TokenRow, 'userId' | 'projectId' | 'roles' | 'method' | 'appCredentialId'>,
  ): TokenRow
  /** The token when it is known, not revoked and not expired by the clock. */
  valid(value: string | undefined): TokenRow | undefined
  caller(token: TokenRow): Caller
  /** Ends every token at once, as a restart with new signing keys does. */
  revokeAll(): void
}

/** An empty identity store; tokens live `lifeMs` by `clock`. */
export function createIdentity(clock: Clock, ids: Ids, lifeMs: number): Identity {
  const projects = new Map<string, ProjectRow>()
  const users = new Map<string, UserRow>()
  const appCredentials = new Map<string, AppCredentialRow>()
  const tokens = new Map<string, TokenRow>()
  const roleIds = new Map<string, string>()

  const ownerGone = (token: TokenRow) =>
    users.get(token.userId)?.enabled !== true ||
    (token.appCredentialId !== undefined && !appCredentials.has(token.appCredentialId))

  return {
    projects,
    users,
    appCredentials,
    tokens,
    roleId: (name) => {
      const known = roleIds.get(name) ?? ids.hex32()
      roleIds.set(name, known)
      return known
    },
    addProject: (name) => {
      const row = { id: ids.hex32(), name }
      projects.set(row.id, row)
      return row
    },
    addUser: (name, password, project, roles) => {
      const row: UserRow = {
        id: ids.hex32(),
        name,
        password,
        enabled: true,
        defaultProjectId: project.id,
        roles: new Map([[project.id, roles]]),
      }
      users.set(row.id, row)
      return row
    },
    addAppCredential: (input) => {
      const row = { ...input, id: ids.hex32(), secret: ids.secret(86) }
      appCredentials.set(row.id, row)
      return row
    },
    removeAppCredential: (id) => void appCredentials.delete(id),
    issue: (input) => {
      const issuedAt = Math.floor(clock.now() / 1000) * 1000
      const credential =
        input.appCredentialId === undefined ? undefined : appCredentials.get(input.appCredentialId)
      const row: TokenRow = {
        ...input,
        value: `gAAAAA${ids.secret(178)}`,
        auditId: ids.secret(22),
        issuedAt,
        // a token never outlives the application credential it was made with
        expiresAt: Math.min(issuedAt + lifeMs, credential?.expiresAt ?? Infinity),
        revoked: false,
      }
      tokens.set(row.value, row)
      return row
    },
    valid: (value) => {
      const token = value === undefined ? undefined : tokens.get(value)
      if (token === undefined || token.revoked || ownerGone(token)) return undefined
      return clock.now() < token.expiresAt ? token : undefined
    },
    caller: (token) => ({
      userId: token.userId,
      projectId: token.projectId,
      isAdmin: token.roles.includes('admin'),
    }),
    revokeAll: () => {
      for (const token of tokens.values()) token.revoked = true
    },
  }
}
