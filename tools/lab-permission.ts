import { existsSync } from 'node:fs'

/** Why the lab may not be brought up here, as a sentence with what to do; undefined when it may. */
export function whyNoLab(env: NodeJS.ProcessEnv): string | undefined {
  if (env['CI'] !== 'true' && env['COUCHESTOR_LAB'] !== '1')
    return 'the lab installs packages and starts services, so it is asked for with COUCHESTOR_LAB=1'
  if (!existsSync('/etc/debian_version')) return 'the lab runs on Debian only'
  if (process.getuid?.() !== 0) return 'the lab needs root'
  return undefined
}
