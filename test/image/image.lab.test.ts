import type { ChildProcess } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeLab } from '../lab/describe-lab.ts'
import { eventually } from '../lab/eventually.ts'
import { imageStore } from './image.ts'

/** Most of it is Node itself. */
const BUDGET_MB = 140
const PORT = 19_106
const SOURCE = [
  'Dockerfile',
  '.dockerignore',
  'package.json',
  'package-lock.json',
  '.npmrc',
  'tsconfig.json',
  'src',
  'tools',
]

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
  version: string
  dependencies: Record<string, string>
}

describeLab('the image', () => {
  let directory: string
  let context: string
  let store: ReturnType<typeof imageStore>
  let container: Awaited<ReturnType<typeof store.container>>

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'couchestor-image-'))
    context = join(directory, 'context')
    store = imageStore(join(directory, 'store'), context)
    // builds are compared with each other: of what stood here at one moment
    for (const path of SOURCE) cpSync(path, join(context, path), { recursive: true })
    await store.build('couchestor')
    container = await store.container('couchestor')
  }, 1_200_000)
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  it('runs our program as a user without rights', async () => {
    const config = await store.config('couchestor')
    expect(config.User).toBe('65532:65532')
    expect(config.Entrypoint).toEqual(['/usr/local/bin/couchestor'])
    expect(await container.run('couchestor', '--version')).toContain(
      `couchestor ${manifest.version}`,
    )
  })

  it('holds Node, its libraries, the program and its bill of materials, and no shell', () => {
    const paths = container.files().map((file) => file.path)
    const others = paths.filter((path) => !/^\/lib(64)?\/.*\.so(\.\d+)*$/.test(path))
    expect(others.sort()).toEqual([
      '/etc/group',
      '/etc/nsswitch.conf',
      '/etc/passwd',
      '/usr/local/bin/node',
      '/usr/share/couchestor/couchestor-agent.mjs',
      '/usr/share/couchestor/couchestor.cdx.json',
      '/usr/share/couchestor/couchestor.mjs',
    ])
  })

  it('has no file that others may write or that changes the user', () => {
    const unsafe = container.files().filter(({ mode }) => (mode & 0o6022) !== 0)
    expect(unsafe).toEqual([])
  })

  it(`is smaller than ${BUDGET_MB} MB`, () => {
    const bytes = container.files().reduce((sum, file) => sum + file.bytes, 0)
    expect(Math.round(bytes / 1e6)).toBeLessThan(BUDGET_MB)
  })

  it('lists every package it is made of, and Node', () => {
    const bom = JSON.parse(container.read('/usr/share/couchestor/couchestor.cdx.json')) as {
      components: { name: string; version: string }[]
    }
    const listed = new Map(bom.components.map(({ name, version }) => [name, version]))
    for (const [name, version] of Object.entries(manifest.dependencies))
      expect([name, listed.get(name)]).toEqual([name, version])
    expect(listed.get('node')).toMatch(/^\d+\.\d+\.\d+$/)
  })

  it('answers on its port, ends on SIGTERM, and has written nothing to its root', async () => {
    const before = container.files()
    const agent = container.start('couchestor', 'agent', '--node-name=n', `--metrics-port=${PORT}`)
    try {
      const url = `http://127.0.0.1:${PORT}/healthz`
      await eventually('the agent answers', async () => (await fetch(url)).ok)
    } finally {
      await ended(agent)
    }
    expect(container.files()).toEqual(before)
  })

  it('is the same, byte for byte, when the same source is built again', async () => {
    const again = imageStore(join(directory, 'again'), context)
    await again.build('couchestor')
    expect(await again.id('couchestor')).toBe(await store.id('couchestor'))
  }, 900_000)

  it('is the image of the exporter with another default command', async () => {
    await store.build('exporter', '--target', 'exporter')
    const [config, exporter] = [await store.config('couchestor'), await store.config('exporter')]
    expect(exporter).toMatchObject({ User: config.User, Entrypoint: config.Entrypoint })
    expect(exporter.Cmd).toEqual(['exporter'])
  }, 900_000)
})

/** Asks the whole process group, as the engine between us and the program does not pass signals on. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const end = new Promise((resolve) => child.once('close', resolve))
  process.kill(-child.pid!, 'SIGTERM')
  await end
}
