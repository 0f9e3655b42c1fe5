/** Keystone's form, with a zone: 2026-11-21T13:14:31.000000Z */
export const keystoneTime = (ms: number): string =>
  new Date(Math.floor(ms / 1000) * 1000).toISOString().replace('.000Z', '.000000Z')

/** Cinder's form: UTC without a zone, whole seconds as the database keeps them. */
export const cinderTime = (ms: number): string => keystoneTime(ms).slice(0, -1)

/** As in the answer to a create, before the row has been through the database: with microseconds. */
export const freshTime = (ms: number): string => new Date(ms).toISOString().replace('Z', '000')

/** Reads a time of either form, without a zone as UTC; NaN when it is none. */
export function parseTime(text: string): number {
  return Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`)
}
