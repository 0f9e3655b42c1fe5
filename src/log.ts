import pino from 'pino'

/** One JSON line per message; the message is constant, values are fields. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  child(fields: Record<string, unknown>): Log
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Anything named like a secret is replaced, at every depth we log. */
const SECRET_KEYS = [
  'password',
  'secret',
  'token',
  'authorization',
  'x-auth-token',
  'x-subject-token',
  'auth_key',
]
const REDACT = SECRET_KEYS.flatMap((k) => [`["${k}"]`, `*["${k}"]`, `*.*["${k}"]`])

export function createLog(level: LogLevel, destination?: { write(line: string): void }): Log {
  const options: pino.LoggerOptions = {
    level,
    base: {},
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: REDACT, censor: '[hidden]' },
  }
  return destination === undefined ? pino(options) : pino(options, destination)
}

/** Says nothing; for tests and the pure parts of the command line. */
export const silentLog: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLog,
}
