import { badRequest, Fault } from './reply.ts'

/**
 * The minor N of `OpenStack-API-Version: volume 3.N`; absent = 0. Throws 400 when malformed, 406 when not offered.
 */
export function negotiate(header: string | undefined, maxMinor: number): number {
  const wanted = header
    ?.split(',')
    .map((part) => part.trim())
    .find((part) => part.startsWith('volume'))
  if (header === undefined) return 0
  if (wanted === undefined) throw badRequest(MALFORMED)
  const text = wanted.slice('volume'.length).trim()
  if (text === 'latest') return maxMinor
  const match = /^([1-9]\d*)\.([1-9]\d*|0)$/.exec(text)
  if (!match)
    throw badRequest(
      `API Version String ${text} is of invalid format. Must be of format MajorNum.MinorNum.`,
    )
  const minor = Number(match[2])
  if (match[1] !== '3' || minor > maxMinor)
    throw new Fault(
      406,
      `Version ${text} is not supported by the API. Minimum is 3.0 and maximum is 3.${maxMinor}.`,
      match[1] === '3' ? echo(minor) : {},
    )
  return minor
}

const MALFORMED =
  'The server could not comply with the request since it is either malformed or otherwise incorrect.'

/** The headers that say which version was used. */
export const echo = (minor: number) => ({
  'openstack-api-version': `volume 3.${minor}`,
  vary: 'OpenStack-API-Version',
})
