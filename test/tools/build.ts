import { chmodSync, rmSync } from 'node:fs'
import { build } from 'esbuild'

// CommonJS packages inside the bundle still call require() for Node's own modules
const banner = `#!/usr/bin/env node
import { createRequire as nodeRequire } from 'node:module'
const require = nodeRequire(import.meta.url)`

const outfile = 'dist/couchestor.js'
rmSync('dist', { recursive: true, force: true })
await build({
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
})
chmodSync(outfile, 0o755)
