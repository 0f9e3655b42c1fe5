import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { command } from '../lab/command.ts'
import { describeLab } from '../lab/describe-lab.ts'
import { lab } from '../lab/env.ts'

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
const made = (name: string): string => join('dist/release', name)

describeLab('what a release consists of', () => {
  const env = { ...lab?.env }
  let empty: string
  let said: string

  beforeAll(async () => {
    empty = mkdtempSync(join(tmpdir(), 'couchestor-release-'))
    said = await command('npm', ['run', '--silent', 'release', '--dry-run'])
  })
  afterAll(() => rmSync(empty, { recursive: true }))

  it('says that a dry run uploads and tags nothing', () => {
    expect(said).toContain('Dry run: nothing is tagged, nothing was uploaded.')
  })

  it('has checksums of every file that sha256sum agrees with', async () => {
    const answer = await command('sh', ['-c', 'cd dist/release && sha256sum --check SHA256SUMS'])
    const files = (await command('ls', ['dist/release'])).trim().split('\n')
    expect(answer.match(/: OK$/gm)).toHaveLength(files.length - 1)
  })

  it('has a program that runs from an empty directory, with nothing installed', async () => {
    const program = join(empty, 'couchestor.js')
    copyFileSync(made(`couchestor-${version}.js`), program)
    expect(await command('node', [program, '--version'])).toContain(`couchestor ${version}`)
  })

  it('has a chart that Helm takes, of the same version', async () => {
    const chart = await command('helm', ['show', 'chart', made(`couchestor-${version}.tgz`)], {
      env,
    })
    expect(chart).toContain(`version: ${version}`)
    expect(chart).toContain(`appVersion: ${version}`)
  })

  it('has CRDs that the API server accepts', async () => {
    const file = made(`couchestor-crds-${version}.yaml`)
    const args = ['apply', '--server-side', '--force-conflicts', '--dry-run=server', '-f', file]
    const answer = await command('kubectl', args, { env })
    for (const kind of ['storagepolicies', 'volumemigrations', 'tieringcheckpoints'])
      expect(answer).toContain(`${kind}.couchestor.io serverside-applied (server dry run)`)
  })

  it('gives the same bytes when it is made again', async () => {
    const before = readFileSync(made('SHA256SUMS'), 'utf8')
    await command('npm', ['run', '--silent', 'release', '--dry-run'])
    expect(readFileSync(made('SHA256SUMS'), 'utf8')).toBe(before)
  })
})
