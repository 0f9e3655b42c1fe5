import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

/** Words that native engineers stumble over, and what the field writes. A new one is added with its replacement. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/\banew\b/i, 'again'],
  [/\bmend(s|ed|ing)?\b/i, 'fix'],
  [/\blets? go of\b/i, 'forget, release'],
  [/\bmade do with\b/i, 'accepted'],
  [/\bto and fro\b/i, 'back and forth'],
  [/\bdearest\b/i, 'most expensive'],
  [/\b(he|him|his|himself)\b/i, 'you, they, it'],
]
const PLACES = ['src', 'tools', 'test', 'docs', 'charts', 'deploy', 'crds', '*.md']
const TEXT = /\.(ts|md|yaml|tpl|txt|sh|py)$/
/** Decisions stand as they were written, and this file names the words. */
const EXCEPTIONS = /^(docs\/decisions\/|tools\/words\.test\.ts$)/

it('code, help, events, alerts and pages use the words of the field', () => {
  const listed = execFileSync('git', ['ls-files', '--', ...PLACES], { encoding: 'utf8' })
  const files = listed.split('\n').filter((f) => TEXT.test(f) && !EXCEPTIONS.test(f))
  const found = files.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line, i) =>
        WORDS.flatMap(([word, better]) =>
          word.test(line) ? [`${file}:${i + 1}: write "${better}": ${line.trim()}`] : [],
        ),
      ),
  )
  expect(files.length).toBeGreaterThan(500)
  expect(found).toEqual([])
})
