import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { lab, theLab } from '../lab/env.ts'
import { runBlock } from './shell.ts'
import type { Ran } from './shell.ts'

/** Somebody who follows a page at a shell, with a home that is empty. */
export interface Reader {
  /**
   * Types a block. What stands for the reader's own values becomes the lab's. Throws with all that was printed when a
   * command fails, when the credential's secret is printed, and at once when a block before has failed.
   */
  follow(text: string): Promise<Ran>
  leave(): void
}

/** Of all the values that pages leave to their readers, the lab's. */
function ownValues(): Readonly<Record<string, string>> {
  const value = (key: string): string => theLab().env[key] ?? ''
  return {
    'https://keystone.example.com:5000/v3': value('OS_AUTH_URL'),
    '<credential-id>': value('OS_APPLICATION_CREDENTIAL_ID'),
    '<credential-secret>': value('OS_APPLICATION_CREDENTIAL_SECRET'),
    'http://prometheus-server.monitoring.svc:9090': value('PROMETHEUS_URL'),
    // these tests run on an installed tree, which must not be pulled from under them
    'npm ci && ': '',
  }
}

/** Sits in `folder`, which has the tree of a release, and has dist/couchestor.js in the PATH as `couchestor`. */
export function aReader(folder = '.'): Reader {
  const home = mkdtempSync(join(tmpdir(), 'couchestor-reader-'))
  const bin = join(home, 'bin')
  mkdirSync(bin)
  const program = `${resolve('node_modules/.bin/node')} ${resolve('dist/couchestor.js')}`
  writeFileSync(join(bin, 'couchestor'), `#!/bin/sh\nexec ${program} "$@"\n`)
  chmodSync(join(bin, 'couchestor'), 0o755)
  const env = {
    ...process.env,
    ...lab?.env,
    HOME: home,
    npm_config_cache: join(home, 'npm'),
    npm_config_update_notifier: 'false',
    PATH: [bin, resolve('node_modules/.bin'), lab?.env['PATH'] ?? ''].join(delimiter),
  }
  let failed = false
  return {
    follow: async (text) => {
      if (failed) throw new Error('a block before this one has failed')
      failed = true
      const ran = await runBlock(text, { env, cwd: folder, instead: ownValues() })
      if (ran.output.includes(theLab().env['OS_APPLICATION_CREDENTIAL_SECRET'] ?? ' '))
        throw new Error('the secret is in what the block has printed')
      if (ran.code !== 0) throw new Error(`exit code ${ran.code}: ${ran.output}`)
      failed = false
      return ran
    },
    leave: () => rmSync(home, { recursive: true, force: true }),
  }
}
