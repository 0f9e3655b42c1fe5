import { readFileSync } from 'node:fs'

type LockedPackage = {
  readonly version: string
  readonly license?: string
  readonly integrity?: string
}
type Component = Readonly<Record<string, unknown>>

/**
 * What the program is made of, as a CycloneDX 1.6 document: each package of which the bundler took a file, as the lockfile
 * has it, and the Node.js that runs it. `inputs` are the bundler's paths, relative to the project. No time and no random
 * number, so that the same source gives the same bytes. Throws for a package that the lockfile does not know.
 */
export function billOfMaterials(inputs: readonly string[], nodeVersion: string): string {
  const project = json('package.json') as { version: string; license: string }
  const locked = (json('package-lock.json') as { packages: Record<string, LockedPackage> }).packages
  const packages = [...new Set(inputs.map(packageOf).filter((path) => path !== undefined))].sort()
  const document = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      lifecycles: [{ phase: 'build' }],
      component: component('application', 'couchestor', project),
    },
    components: [
      ...packages.map((path) => {
        const entry = locked[path]
        if (entry === undefined) throw new Error(`package-lock.json does not know ${path}`)
        return component('library', path.split('node_modules/').at(-1)!, entry)
      }),
      {
        type: 'platform',
        name: 'node',
        version: nodeVersion,
        purl: `pkg:generic/node@${nodeVersion}`,
      },
    ],
  }
  return `${JSON.stringify(document, null, 2)}\n`
}

const json = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'))

/** `node_modules/a/node_modules/@b/c` of a file in it; undefined for our own files. */
function packageOf(input: string): string | undefined {
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0]
}

function component(
  type: 'application' | 'library',
  name: string,
  { version, license, integrity }: LockedPackage,
): Component {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`
  const hash = /^sha512-(.+)$/.exec(integrity ?? '')?.[1]
  return {
    type,
    'bom-ref': purl,
    name,
    version,
    purl,
    ...(license === undefined ? {} : { licenses: [{ expression: license }] }),
    ...(hash === undefined
      ? {}
      : { hashes: [{ alg: 'SHA-512', content: Buffer.from(hash, 'base64').toString('hex') }] }),
  }
}
