/** Keystone writes times with and without the zone; they are UTC. ms; undefined for no time at all. */
export function keystoneTime(text: string | null | undefined): number | undefined {
  if (text === null || text === undefined) return undefined
  const ms = Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`)
  return Number.isNaN(ms) ? undefined : ms
}
