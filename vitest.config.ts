import { defineConfig } from 'vitest/config'

// unit: beside the code, no process but our own. sim: whole rooms together on the simulators.
// real: the lab's real parts; starts nothing by itself, test/run.ts brings the lab up first.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/tools/**/*.test.ts'],
          testTimeout: 10_000,
        },
      },
      {
        test: {
          name: 'sim',
          include: ['test/**/*.test.ts'],
          exclude: ['test/tools/**', '**/*.lab.test.ts', 'test/bench/**'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
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
