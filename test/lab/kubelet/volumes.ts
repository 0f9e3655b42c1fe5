import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import type { Api } from './api.ts'
import { fieldOf } from './environment.ts'
import type { Addresses } from './environment.ts'
import { keysOf, NotYet } from './objects.ts'
import type { KeyToPath, Pod, Source, Volume } from './types.ts'

type File = { readonly path: string; readonly content: Buffer; readonly mode: number }
type Token = { readonly content: Buffer; readonly renewAt: number }
type TokenAnswer = { status: { token: string; expirationTimestamp: string } }

/** The volumes of one pod as directories of this machine; `refresh` writes what has changed, as atomically as a kubelet. */
export class Volumes {
  readonly #api: Api
  readonly #folder: string
  readonly #addresses: Addresses
  readonly #tokens = new Map<string, Token>()

  constructor(api: Api, folder: string, addresses: Addresses) {
    this.#api = api
    this.#folder = folder
    this.#addresses = addresses
  }

  /** Where the volume of that name is on this machine. */
  path(pod: Pod, name: string): string {
    const volume = pod.spec.volumes?.find((v) => v.name === name)
    return volume?.hostPath?.path ?? join(this.#folder, name)
  }

  /** Throws NotYet when something that a volume needs is absent, or when the volume is of a kind that needs a real node. */
  async refresh(pod: Pod): Promise<void> {
    for (const volume of pod.spec.volumes ?? []) {
      if (volume.hostPath) continue
      const folder = join(this.#folder, volume.name)
      const sources = sourcesOf(volume)
      if (sources === undefined) {
        mkdirSync(folder, { recursive: true, mode: 0o777 })
        chownSync(folder, userOf(pod), pod.spec.securityContext?.fsGroup ?? userOf(pod))
        continue
      }
      const files: File[] = []
      for (const source of sources.from) files.push(...(await this.#files(pod, source)))
      writePayload(
        folder,
        files.map((f) => ({ ...f, mode: f.mode || sources.mode })),
        pod.spec.securityContext?.fsGroup,
      )
    }
  }

  async #files(pod: Pod, source: Source): Promise<File[]> {
    const { namespace } = pod.metadata
    for (const [kind, ref] of [
      ['configmaps', source.configMap],
      ['secrets', source.secret],
    ] as const) {
      if (ref === undefined) continue
      const keys = await keysOf(this.#api, namespace, kind, ref, 'ContainerCreating')
      return chosen(keys, ref.items)
    }
    if (source.serviceAccountToken) {
      const { path } = source.serviceAccountToken
      return [{ path, content: await this.#token(pod, source.serviceAccountToken), mode: 0 }]
    }
    return (source.downwardAPI?.items ?? []).map(({ path, fieldRef }) => ({
      path,
      content: Buffer.from(fieldOf(pod, fieldRef.fieldPath, this.#addresses)),
      mode: 0,
    }))
  }

  /** A token bound to the pod; a new one when four fifths of its life are over, as a kubelet does. */
  async #token(pod: Pod, ask: NonNullable<Source['serviceAccountToken']>): Promise<Buffer> {
    const { namespace, name, uid } = pod.metadata
    const kept = this.#tokens.get(ask.path)
    if (kept !== undefined && Date.now() < kept.renewAt) return kept.content
    const account = pod.spec.serviceAccountName ?? 'default'
    const { status } = await this.#api.create<TokenAnswer>(
      `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`,
      {
        spec: {
          audiences: ask.audience === undefined ? [] : [ask.audience],
          expirationSeconds: ask.expirationSeconds ?? 3600,
          boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name, uid },
        },
      },
    )
    const life = Date.parse(status.expirationTimestamp) - Date.now()
    const content = Buffer.from(status.token)
    this.#tokens.set(ask.path, { content, renewAt: Date.now() + life * 0.8 })
    return content
  }
}

/** The user that the pod's containers are, unless they say so themselves; 65532 is the image's own. */
export const userOf = (pod: Pod): number => pod.spec.securityContext?.runAsUser ?? 65532

/** undefined for an empty directory. */
function sourcesOf(volume: Volume): { from: readonly Source[]; mode: number } | undefined {
  const { configMap, secret, downwardAPI, projected, emptyDir } = volume
  if (configMap) return { from: [{ configMap }], mode: configMap.defaultMode ?? 0o644 }
  if (secret) {
    const from = [{ secret: { ...secret, name: secret.secretName } }]
    return { from, mode: secret.defaultMode ?? 0o644 }
  }
  if (downwardAPI) return { from: [{ downwardAPI }], mode: downwardAPI.defaultMode ?? 0o644 }
  if (projected) return { from: projected.sources, mode: projected.defaultMode ?? 0o644 }
  if (emptyDir) return undefined
  const kind = Object.keys(volume).find((k) => k !== 'name')
  throw new NotYet('ContainerCreating', `volumes of kind ${kind} are not for the lab's kubelet`)
}

function chosen(keys: Map<string, Buffer>, items: readonly KeyToPath[] | undefined): File[] {
  if (items === undefined) return [...keys].map(([path, content]) => ({ path, content, mode: 0 }))
  return items.flatMap(({ key, path, mode = 0 }) => {
    const content = keys.get(key)
    return content === undefined ? [] : [{ path, content, mode }]
  })
}

/** All files of a volume change at one moment: the link `..data` is renamed over the old one. */
function writePayload(folder: string, files: readonly File[], group: number | undefined): void {
  const link = join(folder, '..data')
  if (existsSync(link) && same(link, files)) return
  const version = `..${Date.now()}`
  const old = existsSync(folder)
    ? readdirSync(folder).filter((n) => n.startsWith('..') && n !== '..data')
    : []
  for (const { path, content, mode } of files) {
    const file = join(folder, version, path)
    mkdirSync(dirname(file), { recursive: true })
    // a group that shall read can: what fsGroup is for
    writeFileSync(file, content, { mode: group === undefined ? mode : mode | 0o040 })
    if (group !== undefined) chownSync(file, 0, group)
  }
  mkdirSync(join(folder, version), { recursive: true })
  rmSync(`${link}.new`, { force: true })
  symlinkSync(version, `${link}.new`)
  renameSync(`${link}.new`, link)
  for (const top of new Set(files.map((f) => f.path.split('/')[0]!)))
    if (!existsSync(join(folder, top))) symlinkSync(join('..data', top), join(folder, top))
  for (const name of old) rmSync(join(folder, name), { recursive: true })
}

function same(link: string, files: readonly File[]): boolean {
  const there = readdirSync(link, { recursive: true, withFileTypes: true }).filter((e) =>
    e.isFile(),
  )
  if (there.length !== files.length) return false
  return files.every(({ path, content }) => {
    const file = join(link, path)
    return existsSync(file) && readFileSync(file).equals(content)
  })
}
