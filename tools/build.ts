import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { build } from 'esbuild'
import { linkingLate } from './linking-late.ts'
import { billOfMaterials } from './sbom.ts'

// CommonJS packages inside the bundle still call require() for Node's own modules
const banner = `#!/usr/bin/env node
import { createRequire as nodeRequire } from 'node:module'
const require = nodeRequire(import.meta.url)`

/** `node tools/build.ts [DIR]`; a test that must not disturb others gives a directory of its own. */
const folder = process.argv[2] ?? 'dist'
const outfile = `${folder}/couchestor.js`
const agentFile = `${folder}/couchestor-agent.js`
const options = {
  bundle: true,
  platform: 'node',
  // an older Node.js must read the file as far as the sentence that says which one is needed
  target: 'node18',
  format: 'esm',
  sourcemap: true,
  sourcesContent: false,
  legalComments: 'none',
  banner: { js: banner },
  logLevel: 'warning',
  metafile: true,
} as const
rmSync(folder, { recursive: true, force: true })
const { metafile } = await build({ ...options, entryPoints: ['src/main.ts'], outfile })
// the same agent without the rest, which `couchestor.js agent` turns into where it stands beside it
await build({ ...options, entryPoints: ['src/agent-main.ts'], outfile: agentFile })
for (const file of [outfile, agentFile]) {
  writeFileSync(file, linkingLate(readFileSync(file, 'utf8')))
  inAscii(file)
  chmodSync(file, 0o755)
}
writeFileSync(
  `${folder}/couchestor.cdx.json`,
  billOfMaterials(Object.keys(metafile.inputs), process.versions.node),
)

/** One letter outside ASCII (of a comment, or of a regular expression) would make V8 keep two bytes for each of the file. */
function inAscii(file: string): void {
  const text = readFileSync(file, 'utf8')
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  writeFileSync(file, text.replaceAll(/[^\0-\x7f]/g, escaped))
}
