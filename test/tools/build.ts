import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import { build } from 'esbuild'
import { billOfMaterials } from './sbom.ts'

// CommonJS packages inside the bundle still call require() for Node's own modules
const banner = `#!/usr/bin/env node
import { createRequire as nodeRequire } from 'node:module'
const require = nodeRequire(import.meta.url)`

const outfile = 'dist/couchestor.js'
rmSync('dist', { recursive: true, force: true })
const { metafile } = await build({
  entryPoints: ['src/main.ts'],
  outfile,
  bundle: true,
  platform: 'node',
  target: 'node22',
  format: 'esm',
  sourcemap: true,
  sourcesContent: false,
  legalComments: 'none',
  banner: { js: banner },
  logLevel: 'warning',
  metafile: true,
})
chmodSync(outfile, 0o755)
writeFileSync(
  'dist/couchestor.cdx.json',
  billOfMaterials(Object.keys(metafile.inputs), process.versions.node),
)
