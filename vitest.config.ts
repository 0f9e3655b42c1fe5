import { defineConfig } from 'vitest/config'

// unit: beside the code, no process but our own. sim: whole rooms together on the simulators.
// long: what takes hours, `npm run test:long`; never part of `npm test`.
// real: the lab's real parts; starts nothing by itself, test/run.ts brings the lab up first.

/** On two cores vitest starts one worker unless asked. */
const maxWorkers = '100%'

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          maxWorkers,
          include: ['src/**/*.test.ts', 'tools/**/*.test.ts'],
          // many times what a quiet machine needs
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'sim',
          maxWorkers,
          include: ['test/**/*.test.ts'],
          exclude: ['**/*.lab.test.ts', '**/*.long.test.ts', 'test/bench/**'],
          testTimeout: 240_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'long',
          include: ['test/**/*.long.test.ts'],
          testTimeout: 3_600_000,
          // each test is a process of its own
          maxConcurrency: 2,
        },
      },
      {
        test: {
          name: 'real',
          include: ['test/**/*.lab.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          // one lab for all: a test that stops a service would disturb the others
          fileParallelism: false,
        },
      },
    ],
  },
})
