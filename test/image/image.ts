import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { command } from '../lab/command.ts'

const BUILD = fileURLToPath(new URL('build.sh', import.meta.url))

export type ImageConfig = {
  readonly User: string
  readonly Entrypoint: readonly string[]
  readonly Cmd: readonly string[]
  readonly Env: readonly string[]
  readonly Labels: Readonly<Record<string, string>>
}

export type FileOfImage = { readonly path: string; readonly mode: number; readonly bytes: number }

/** The images of one directory, built from `context` and its Dockerfile by buildah, without a container engine. */
export function imageStore(directory: string, context: string) {
  const store = [
    '--storage-driver',
    'vfs',
    '--root',
    join(directory, 'images'),
    '--runroot',
    join(directory, 'run'),
  ]
  const buildah = (...args: string[]): Promise<string> => command('buildah', [...store, ...args])
  return {
    /** Builds `tag` with buildah's flags, such as `--target exporter`; minutes where the base has to be made first. */
    async build(tag: string, ...flags: string[]): Promise<void> {
      await command(BUILD, [directory, context, tag, ...flags], { timeoutMs: 900_000 })
    },
    /** The hash of everything in the image and of its configuration. */
    async id(tag: string): Promise<string> {
      return (await buildah('images', '--quiet', '--no-trunc', `localhost/${tag}`)).trim()
    },
    async config(tag: string): Promise<ImageConfig> {
      const text = await buildah('inspect', '--type', 'image', tag)
      return (JSON.parse(text) as { OCIv1: { config: ImageConfig } }).OCIv1.config
    },
    /** A container of the image: its files, and programs run in it as its own user. */
    async container(tag: string) {
      const name = (await buildah('from', `localhost/${tag}`)).trim()
      const root = (await buildah('mount', name)).trim()
      const inside = [...store, 'run', '--isolation', 'chroot']
      return {
        files: (): FileOfImage[] => filesUnder(root),
        read: (path: string): string => readFileSync(join(root, path), 'utf8'),
        run: (...args: string[]) => command('buildah', [...inside, name, '--', ...args]),
        start: (...args: string[]): ChildProcess =>
          spawn('buildah', [...inside, name, '--', ...args], { stdio: 'ignore', detached: true }),
      }
    },
  }
}

/** Made by every engine when a container is started. */
const OF_THE_ENGINE = ['/etc/hostname', '/etc/hosts', '/etc/resolv.conf']

function filesUnder(root: string): FileOfImage[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name)
      const { mode, size } = statSync(path)
      return { path: `/${relative(root, path)}`, mode: mode & 0o7777, bytes: size }
    })
    .filter((file) => !OF_THE_ENGINE.includes(file.path))
}
