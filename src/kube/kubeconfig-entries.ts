import * as z from 'zod'
import { UserError } from '../errors.ts'

/** kubectl does not mind how a text is written: a name, a token or a password may be digits. */
const Text = z
  .union([z.string(), z.number(), z.boolean()], { error: 'must be a text' })
  .transform(String)
const Texts = z.array(Text, { error: 'must be a list' })
const Flag = z
  .union([z.boolean(), z.literal('true'), z.literal('false')], { error: 'must be true or false' })
  .transform((value) => value === true || value === 'true')

/** What is null is not set. */
function maybe<T>(schema: z.ZodType<T>) {
  return schema.nullish().transform((value) => value ?? undefined)
}

const MAP = { error: 'must be a map' }

const Cluster = z.object(
  {
    server: maybe(Text),
    'certificate-authority': maybe(Text),
    'certificate-authority-data': maybe(Text),
    'insecure-skip-tls-verify': maybe(Flag),
    'tls-server-name': maybe(Text),
    'proxy-url': maybe(Text),
    extensions: z
      .array(z.object({ name: Text, extension: z.unknown() }))
      .optional()
      .catch(undefined),
  },
  MAP,
)

const Exec = z.object(
  {
    apiVersion: maybe(Text),
    command: z
      .unknown()
      .transform((value) => (typeof value === 'number' ? String(value) : value))
      .pipe(z.string({ error: 'must name the program that prints the credential' }).min(1)),
    args: maybe(Texts),
    env: maybe(
      z.array(z.object({ name: Text, value: maybe(Text) }, MAP), {
        error: 'must be a list of name and value',
      }),
    ),
    installHint: maybe(Text),
    provideClusterInfo: maybe(Flag),
    interactiveMode: maybe(
      z.enum(['Never', 'IfAvailable', 'Always'], {
        error: 'must be Never, IfAvailable or Always',
      }),
    ),
  },
  MAP,
)

const User = z.object(
  {
    token: maybe(Text),
    tokenFile: maybe(Text),
    username: maybe(Text),
    password: maybe(Text),
    'client-certificate': maybe(Text),
    'client-certificate-data': maybe(Text),
    'client-key': maybe(Text),
    'client-key-data': maybe(Text),
    as: maybe(Text),
    'as-uid': maybe(Text),
    'as-groups': maybe(Texts),
    'as-user-extra': maybe(z.record(z.string(), Texts, MAP)),
    exec: maybe(Exec),
    'auth-provider': maybe(
      z.object({ name: maybe(Text), config: maybe(z.record(z.string(), Text)) }, MAP),
    ),
  },
  MAP,
)

const Context = z.object({ cluster: maybe(Text), user: maybe(Text), namespace: maybe(Text) }, MAP)

const ENTRIES = { cluster: Cluster, user: User, context: Context }

/** What a kubeconfig says of one cluster, with paths made absolute. */
export type Cluster = z.infer<typeof Cluster>
export type User = Partial<z.infer<typeof User>>
export type ExecConfig = z.infer<typeof Exec>
export type Context = z.infer<typeof Context>
export type Entries = { cluster: Cluster; user: User; context: Context }
export type EntryKind = keyof Entries

/** One entry of a list, as it stands in its file. It is judged only when it is used: others' mistakes are theirs. */
export type RawEntry = { readonly file: string; readonly name: string; readonly value: unknown }

/** The entry as it is meant. Throws a `UserError` that names file and field, and never quotes the value. */
export function readEntry<K extends EntryKind>(kind: K, raw: RawEntry): Entries[K] {
  const result = ENTRIES[kind].safeParse(raw.value)
  if (result.success) return result.data as Entries[K]
  const [issue] = result.error.issues
  throw invalid(
    raw.file,
    `${[`${kind} "${raw.name}"`, ...(issue?.path ?? [])].join('.')} ${issue?.message}`,
  )
}

export function invalid(file: string, why: string): UserError {
  return new UserError('KubeconfigInvalid', `kubeconfig ${file} cannot be read: ${why}`, {
    fix: 'check it with kubectl config view',
  })
}
