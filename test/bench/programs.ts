import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'

const run = promisify(execFile)
const HERE = join(import.meta.dirname, '..', '..')

// CommonJS packages inside the bundle still call require() for Node's own modules
const banner = `import { createRequire as nodeRequire } from 'node:module'
const require = nodeRequire(import.meta.url)`

/** A module of that source tree as one file, so that the measured process holds no compiler. */
async function bundle(entry: string, outfile: string): Promise<void> {
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'esm',
    banner: { js: banner },
    logLevel: 'warning',
  })
}

/** What is loaded into a measured process to inspect it. */
export function compileProbe(outfile: string): Promise<void> {
  return bundle(join(import.meta.dirname, 'probe.ts'), outfile)
}

/** The controller of a source tree with a clock that jumps; `root` defaults to this one. */
export function compileCycle(outfile: string, root = HERE): Promise<void> {
  const entry = join(root, 'test', 'bench', 'cycle-process.ts')
  if (!existsSync(entry))
    throw new Error('that commit has no test/bench/cycle-process.ts: compare with a later one')
  return bundle(entry, outfile)
}

/** Of a commit of this repository, in a worktree that is gone afterwards. */
export async function compileCycleOf(commit: string, outfile: string): Promise<void> {
  const id = await commitId(commit)
  const folder = mkdtempSync(join(tmpdir(), 'couchestor-bench-base-'))
  const root = join(folder, 'source')
  try {
    await git('worktree', 'add', '--detach', '--force', root, id)
    await addPackages(root)
    await compileCycle(outfile, root)
  } finally {
    rmSync(folder, { recursive: true, force: true })
    await git('worktree', 'prune')
  }
}

/** Throws with what to do when the commit is not here, as in a clone of the newest commits alone. */
async function commitId(commit: string): Promise<string> {
  try {
    return await git('rev-parse', '--verify', '--quiet', '--end-of-options', `${commit}^{commit}`)
  } catch {
    const shallow = (await git('rev-parse', '--is-shallow-repository')) === 'true'
    throw new Error(
      `commit ${commit} is not in this clone${shallow ? ', which is a shallow one: run "git fetch --unshallow"' : ': fetch it, or name another with --against'}`,
    )
  }
}

async function git(...args: string[]): Promise<string> {
  const { stdout } = await run('git', ['-C', HERE, ...args])
  return stdout.trim()
}

/** The packages that are installed here, where the commit asks for the same ones; else its own. */
async function addPackages(root: string): Promise<void> {
  const lock = (folder: string) => packagesOf(join(folder, 'package-lock.json'))
  if (lock(root) === lock(HERE)) symlinkSync(join(HERE, 'node_modules'), join(root, 'node_modules'))
  // nothing of it is run but what is compiled into the program
  else await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: root })
}

/** What of a lockfile can change the program. */
function packagesOf(file: string): string {
  const { packages } = JSON.parse(readFileSync(file, 'utf8')) as {
    packages: Record<string, { version?: string; integrity?: string }>
  }
  const { '': _ourselves, ...others } = packages
  return JSON.stringify(Object.entries(others).map(([name, p]) => [name, p.version, p.integrity]))
}
