import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { auditSink } from './audit-sink.ts'

let dir: string
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'audit-'))))
afterEach(() => rmSync(dir, { recursive: true }))

const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
const path = () => join(dir, 'audit.jsonl')

it('a file is made for its owner and group, and appended to', async () => {
  const sink = auditSink(path, nowhere)
  await sink.write('one\n')
  await sink.write('two\nthree\n')
  expect(readFileSync(path(), 'utf8')).toBe('one\ntwo\nthree\n')
  expect(statSync(path()).mode & 0o007).toBe(0)
})

it('a line that an earlier process could not finish is ended before the next one', async () => {
  appendFileSync(path(), 'one\n{"audit":tr')
  await auditSink(path, nowhere).write('two\n')
  expect(readFileSync(path(), 'utf8')).toBe('one\n{"audit":tr\ntwo\n')
})

it('a file that was rotated away is made again', async () => {
  const sink = auditSink(path, nowhere)
  await sink.write('one\n')
  renameSync(path(), `${path()}.1`)
  await sink.write('two\n')
  expect(readFileSync(path(), 'utf8')).toBe('two\n')
})

it('a full disk is an error', async () => {
  // every write there fails as on a full disk
  await expect(auditSink(() => '/dev/full', nowhere).write('one\n')).rejects.toThrow('ENOSPC')
})

it('a pipe is an error, and nothing is written to it', async () => {
  execFileSync('mkfifo', [path()])
  const reader = openSync(path(), constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    await expect(auditSink(path, nowhere).write('one\n')).rejects.toThrow('is a pipe')
    expect(readSync(reader, Buffer.alloc(10))).toBe(0)
  } finally {
    closeSync(reader)
  }
})

it('a directory that is not there is an error', async () => {
  const sink = auditSink(() => join(dir, 'missing', 'audit.jsonl'), nowhere)
  await expect(sink.write('one\n')).rejects.toThrow('ENOENT')
})

it('without a path the lines go to standard output, and are written when it has taken them', async () => {
  let take = () => {}
  let text = ''
  const stdout = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      text += chunk.toString()
      take = () => done()
    },
  })
  let isDone = false
  const work = auditSink(() => undefined, stdout)
    .write('one\n')
    .then(() => (isDone = true))
  await Promise.resolve()
  expect({ text, isDone }).toEqual({ text: 'one\n', isDone: false })
  take()
  expect(await work).toBe(true)
})

it('a closed pipe is an error, and does not end the process', async () => {
  const broken = new Writable({
    write: (_chunk, _encoding, done) => done(new Error('write EPIPE')),
  })
  const sink = auditSink(() => undefined, broken)
  await expect(sink.write('one\n')).rejects.toThrow('EPIPE')
  await expect(sink.write('two\n')).rejects.toThrow('destroyed')
})

it('the path is asked for at each write', async () => {
  let name = 'a'
  const sink = auditSink(() => join(dir, name), nowhere)
  await sink.write('one\n')
  name = 'b'
  await sink.write('two\n')
  expect(readFileSync(join(dir, 'b'), 'utf8')).toBe('two\n')
})
