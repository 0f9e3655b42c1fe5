import { expect, it } from 'vitest'
import { linkingLate } from './linking-late.ts'

it.each([
  ['import { readFileSync } from "node:fs";', 'var { readFileSync } = require("node:fs");'],
  [
    'import { readFile as readFile2, writeFile } from "node:fs/promises";',
    'var { readFile: readFile2, writeFile } = require("node:fs/promises");',
  ],
  [
    'import path, { resolve } from "path";',
    'var path = require("path"), { resolve } = require("path");',
  ],
  ['import os from "node:os";', 'var os = require("node:os");'],
  ['import * as tls from "node:tls";', 'var tls = require("node:tls");'],
])('%s', (before, after) => expect(linkingLate(`a;\n${before}\nb;`)).toBe(`a;\n${after}\nb;`))

it('what makes require stays an import', () => {
  const line = 'import { createRequire as nodeRequire } from "node:module";'
  expect(linkingLate(line)).toBe(line)
})

it('a line that would still be linked fails the build', () => {
  expect(() => linkingLate('import { x } from "some-package@1";')).toThrow('still links')
})
