import type { Flags } from '../cli/flags.ts'
import { UserError } from '../errors.ts'
import { LOG_LEVELS } from '../log.ts'
import type { LogLevel } from '../log.ts'

/** `--log-level`, else COUCHESTOR_LOG_LEVEL, else info. Throws `UserError` for a level there is not. */
export function logLevel(flags: Flags): LogLevel {
  const given = flags['log-level']
  // a variable that is empty is not set
  const text = given ?? (process.env['COUCHESTOR_LOG_LEVEL'] || 'info')
  const level = LOG_LEVELS.find((l) => l === text)
  if (level === undefined)
    throw new UserError(
      'FlagsInvalid',
      `${given === undefined ? 'COUCHESTOR_LOG_LEVEL' : '--log-level'}: "${text}" is not one of ${LOG_LEVELS.join(', ')}`,
    )
  return level
}

/** The guide passes `--cloud-provider=openstack`; anything else is a `UserError`. */
export function checkProvider(flags: Flags): void {
  const provider = flags['cloud-provider']
  if (provider !== 'openstack')
    throw new UserError('FlagsInvalid', `--cloud-provider: "${provider}" is not supported`, {
      fix: 'write openstack',
    })
}
