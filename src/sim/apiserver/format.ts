const DATE_TIME = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/
const DURATION = /^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h|d|w) ?)+$/
const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i

/** True when the text is not of a format the API server enforces; it ignores formats it does not know. */
export function formatError(value: string, format: string): boolean {
  switch (format) {
    case 'date-time':
      return !DATE_TIME.test(value) || Number.isNaN(Date.parse(value))
    case 'date':
      return !/^\d{4}-\d\d-\d\d$/.test(value) || Number.isNaN(Date.parse(value))
    case 'duration':
      return !DURATION.test(value)
    case 'uuid':
      return !UUID.test(value)
    default:
      return false
  }
}
