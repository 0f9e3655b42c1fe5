import manifest from '../package.json' with { type: 'json' }

/** The version of this program, such as `0.1.0`. package.json is the one place where it is written. */
export const VERSION: string = manifest.version
