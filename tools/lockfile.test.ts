import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

type Locked = { optionalDependencies?: Record<string, string> }

// A registry that lacks a tool's package for another platform makes npm leave it out of the lockfile, and every later
// `npm ci` then refuses the lockfile as incomplete.
it('names the packages of every platform in the lockfile', () => {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, Locked>
  }
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) =>
        packages[`node_modules/${name}`] === undefined &&
        packages[`${path}/node_modules/${name}`] === undefined,
    ),
  )
  expect(missing).toEqual([])
})
