import type { CloudFacts, CredentialFact, Facts, LoginFact } from '../facts.ts'
import { finding, notChecked, ok, when } from '../finding.ts'
import type { Line } from '../finding.ts'

const DAY = 86_400_000
const NOW_DAYS = 3
const SOON_DAYS = 30
const READERS: ReadonlySet<string> = new Set(['reader', 'audit', 'auditor'])
/** As openstack/auth-url.ts says it. */
const NOT_KEYSTONE = /^OS_AUTH_URL \S+ (does not lead to Keystone|redirects logins)/
/** As every error of a connection through a proxy says it. */
export const THROUGH_PROXY = /through the proxy \S+ \(/
const KINDS = {
  applicationCredential: 'application credential',
  password: 'user and password',
  token: 'token',
} as const

/** Whether it logs in, how long it lives, what it may do. */
export function checkCredentials({ cloud, now }: Facts): readonly Line[] {
  const { credential, login } = cloud
  if (!credential.known) return [finding('CredentialMissing', credential.why)]
  if (!login.known) return [loginFailure(cloud, credential.value, login.why)]
  return [
    ok(loggedIn(credential.value, login.value)),
    ...lifetime(cloud, credential.value, login.value, now),
    ...powers(login.value),
  ]
}

function loginFailure(cloud: CloudFacts, { authUrl }: CredentialFact, why: string): Line {
  const failure = cloud.unreachable.get(new URL(authUrl).origin)
  if (failure === 'tls')
    return { ...finding('TlsRefused', `${authUrl}: ${why}`), group: 'credentials' }
  if (THROUGH_PROXY.test(why)) return { ...finding('ProxyRefused', why), group: 'credentials' }
  if (NOT_KEYSTONE.test(why)) return finding('AuthUrlWrong', why)
  if (failure !== undefined || why.startsWith('no answer'))
    return finding('KeystoneUnreachable', `OS_AUTH_URL ${authUrl}: ${failure ?? why}`)
  return finding('CredentialRefused', why)
}

function loggedIn({ kind, authUrl }: CredentialFact, login: LoginFact): string {
  const name = login.applicationCredential?.name ?? login.user
  const roles = login.roles.length === 0 ? 'no roles' : `roles: ${login.roles.join(', ')}`
  return `logged in at ${authUrl} with ${KINDS[kind]} "${name}" of project ${login.project.name} (${login.project.id}); ${roles}`
}

function lifetime(
  cloud: CloudFacts,
  { kind }: CredentialFact,
  login: LoginFact,
  now: number,
): readonly Line[] {
  const end = cloud.applicationCredentialEnd
  if (kind === 'applicationCredential' && !end.known)
    return [
      notChecked(
        'credentials',
        'end of the application credential',
        end.why,
        `openstack application credential show ${login.applicationCredential?.id ?? '<id>'}`,
      ),
    ]
  const ends =
    kind === 'applicationCredential' ? (end.known ? end.value : null) : endOf(kind, login)
  const what = kind === 'password' ? `the password of ${login.user}` : `the ${KINDS[kind]}`
  if (ends === null) return [ok(`${what} has no end`)]
  const days = (ends - now) / DAY
  const text = `${what} ends at ${new Date(ends).toISOString()}, in ${Math.max(0, days).toFixed(1)} days`
  if (days < NOW_DAYS) return [finding('CredentialExpired', text)]
  if (days < SOON_DAYS) return [finding('CredentialExpiresSoon', text)]
  return [ok(text)]
}

function endOf(kind: CredentialFact['kind'], login: LoginFact): number | null {
  return (kind === 'token' ? login.tokenEnd : login.passwordEnd) ?? null
}

function powers({ roles, applicationCredential, user, project }: LoginFact): readonly Line[] {
  return [
    ...when(
      applicationCredential?.restricted === false,
      finding(
        'CredentialUnrestricted',
        `application credential "${applicationCredential?.name ?? ''}" was made with --unrestricted`,
      ),
    ),
    ...when(roles.includes('admin'), finding('CredentialIsAdmin', `roles: ${roles.join(', ')}`)),
    ...when(
      roles.every((r) => READERS.has(r)),
      finding('RoleTooSmall', `roles: ${roles.join(', ') || 'none'}`, {
        fix: `openstack role add --user ${user} --project ${project.name} member, then create the application credential again: it keeps the roles it was made with`,
      }),
    ),
  ]
}
