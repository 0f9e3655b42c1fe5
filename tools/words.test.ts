import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

/** CHANGELOG entries of the past stand as they were written. */
const PAST = /^CHANGELOG\.md$/
/** Files that draw or link pictures. */
const PICTURES =
  /^(tools\/dashboard-pictures\.ts|docs\/dashboards\.md|charts\/couchestor\/Chart\.yaml)$/
/**
 * Words that native engineers stumble over, what the field writes, and files where a word has its usual meaning. A new
 * one is added with its replacement.
 */
const WORDS: readonly (readonly [RegExp, string, RegExp?])[] = [
  [/\banew\b/i, 'again'],
  [/\bmend(s|ed|ing)?\b/i, 'fix'],
  [/\blets? go of\b/i, 'forget, release'],
  [/\bmade do with\b/i, 'accepted'],
  [/\bto and fro\b/i, 'back and forth'],
  [/\bdear(er|est)?\b/i, 'expensive'],
  [/\b(he|him|his|himself)\b/i, 'you, they, it'],
  // the rules told-4h, told-12h and told-24h of the backtest keep their names
  [/\b(tells?|telling|told)\b(?!-)/i, 'report, log, show, say, distinguish'],
  [
    /\b(an?|one|two|first|second|last|next|single|another|further|full|slow) looks?\b/i,
    'read, poll, check',
    PAST,
  ],
  [/\blook(s|ed|ing)? (at|into|inside|through|again)\b/i, 'read, fetch, poll, check', PAST],
  [/\bpictures?\b/i, 'snapshot, view, chart', PICTURES],
  [/\b(whoever|anybody)\b/i, 'anyone, the caller, regardless of who', PAST],
  [/\bleft out =|\bLeft out: /, 'default: …'],
  [/\bneeds a lead of\b/i, 'required to justify the move'],
  [/\b(say|says|said) yes\b/i, 'approve'],
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
        WORDS.flatMap(([word, better, except]) =>
          word.test(line) && !except?.test(file)
            ? [`${file}:${i + 1}: write "${better}": ${line.trim()}`]
            : [],
        ),
      ),
  )
  expect(files.length).toBeGreaterThan(500)
  expect(found).toEqual([])
})
