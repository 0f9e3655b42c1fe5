import { createHash } from 'node:crypto'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'

// `npm run release`: what a release consists of, in dist/release/. It uploads nothing: CONTRIBUTING.md has the commands.
// `npm run release --dry-run` makes the same of any state of the tree, to see whether it could be released.

const OUT = 'dist/release'
const CHART = 'charts/couchestor'

const dryRun = process.argv.includes('--dry-run') || process.env['npm_config_dry_run'] === 'true'
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }

const obstacles = [...versionMistakes(), ...(dryRun ? [] : treeMistakes())]
if (obstacles.length > 0) {
  for (const text of obstacles) process.stderr.write(`release: ${text}\n`)
  process.exit(1)
}

run('node', ['tools/build.ts'])
rmSync(OUT, { recursive: true, force: true })
mkdirSync(OUT, { recursive: true })
copyFileSync('dist/couchestor.js', join(OUT, `couchestor-${version}.js`))
copyFileSync('dist/couchestor.cdx.json', join(OUT, `couchestor-${version}.cdx.json`))
writeFileSync(join(OUT, `couchestor-crds-${version}.yaml`), allCrds())
packChart(join(OUT, `couchestor-${version}.tgz`))

const sums = readdirSync(OUT).sort().map(sumLine)
writeFileSync(join(OUT, 'SHA256SUMS'), `${sums.join('\n')}\n`)
process.stdout.write(
  `${sums.join('\n')}\n${dryRun ? 'Dry run: nothing is tagged, nothing was uploaded.' : `Release ${version} is in ${OUT}.`}\n`,
)

/** The version stands in package.json; chart and change log must say the same. */
function versionMistakes(): string[] {
  const chart = load(readFileSync(join(CHART, 'Chart.yaml'), 'utf8')) as Record<string, unknown>
  return [
    ...(['version', 'appVersion'] as const)
      .filter((key) => chart[key] !== version)
      .map(
        (key) =>
          `${CHART}/Chart.yaml has ${key} ${String(chart[key])}; package.json has ${version}`,
      ),
    ...(readFileSync('CHANGELOG.md', 'utf8').includes(`\n## ${version}`)
      ? []
      : [`CHANGELOG.md has no section "## ${version}"`]),
  ]
}

function treeMistakes(): string[] {
  const tag = `v${version}`
  return [
    ...(git('status', '--porcelain') === '' ? [] : ['the tree has uncommitted changes']),
    ...(git('tag', '--points-at', 'HEAD').split('\n').includes(tag)
      ? []
      : [`HEAD has no tag ${tag}; make it with: git tag -s ${tag}`]),
  ]
}

function git(...args: string[]): string {
  return spawnSync('git', args, { encoding: 'utf8' }).stdout.trim()
}

function allCrds(): string {
  const names = readdirSync('deploy/crds').sort()
  return names.map((name) => readFileSync(join('deploy/crds', name), 'utf8')).join('---\n')
}

/** A chart package is an archive of its directory; made here rather than by helm, so that its bytes depend on its files only. */
function packChart(file: string): void {
  const sameAlways = [
    '--sort=name',
    '--mtime=@0',
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    '--mode=u=rwX,go=rX',
  ]
  run('tar', ['-c', ...sameAlways, '-I', 'gzip -n', '-f', file, '-C', 'charts', 'couchestor'])
}

function sumLine(name: string): string {
  const sum = createHash('sha256')
    .update(readFileSync(join(OUT, name)))
    .digest('hex')
  return `${sum}  ${name}`
}

function run(program: string, args: readonly string[]): void {
  if (spawnSync(program, args, { stdio: 'inherit' }).status === 0) return
  throw new Error(`${program} ${args.join(' ')} failed`)
}
