import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { commandBlocksOf, NOT_RUN, stepsOf, WALKED } from './walks.ts'

const PAGES = readdirSync('docs', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md'))
  .map((name) => join('docs', name))
const walked = Object.entries(WALKED)

describe('what the pages ask readers to type', () => {
  it.each(PAGES.filter((page) => WALKED[page] === undefined))(
    '%s has no block that is neither run nor listed with a reason',
    (page) => expect(stepsOf(page).map(({ text }) => text)).toEqual([]),
  )

  it.each(walked)('%s is followed, by %s', (page, test) => {
    expect(stepsOf(page)).not.toEqual([])
    expect(existsSync(`test/docs/${test}`)).toBe(true)
  })

  it.each(NOT_RUN.map(({ page, begins }) => [page, begins]))(
    '%s still has the block that is not run: %s',
    (page = '', begins = '') => {
      const found = commandBlocksOf(page).filter(({ text }) => text.startsWith(begins))
      expect(found).toHaveLength(1)
    },
  )
})
