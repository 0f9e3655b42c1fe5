import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Writable } from 'node:stream'
import type { AuditSink } from '../audit/audit.ts'

/** Only owner and group read who moved what. */
const MODE = 0o640
const LINE_FEED = 10

/** The file that `path` names at each write, or `stdout` without one. */
export function auditSink(path: () => string | undefined, stdout: Writable): AuditSink {
  const toStdout = toStream(stdout)
  return {
    write: (lines) => {
      const file = path()
      return file === undefined ? toStdout.write(lines) : append(file, lines)
    },
  }
}

/**
 * Appends and flushes. Opened again each time, so that a file that was rotated away or deleted is none; a line that an
 * earlier process could not finish is ended first.
 */
async function append(path: string, lines: string): Promise<void> {
  const file = await open(path, 'a+', MODE)
  try {
    const stats = await file.stat()
    // a write to a pipe that nobody reads would hang, and hold up the end of the process too
    if (stats.isFIFO()) throw new Error(`${path} is a pipe and not a file`)
    const { size } = stats
    await writeAll(file, (await endsInLine(file, size)) ? lines : `\n${lines}`)
    await file.datasync()
    // the name of a new file is in its directory
    if (size === 0) await flushDirectory(dirname(path))
  } finally {
    await file.close()
  }
}

async function writeAll(file: FileHandle, text: string): Promise<void> {
  let rest = Buffer.from(text)
  while (rest.length > 0) {
    const { bytesWritten } = await file.write(rest)
    rest = rest.subarray(bytesWritten)
  }
}

async function endsInLine(file: FileHandle, size: number): Promise<boolean> {
  if (size === 0) return true
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1)
  return buffer[0] === LINE_FEED
}

async function flushDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** Resolves once the stream has handed the lines on: to a pipe or a file that is at once. */
function toStream(stream: Writable): AuditSink {
  // without a listener the error of a closed pipe would end the process
  stream.on('error', () => {})
  return {
    write: (lines) =>
      new Promise((resolve, reject) =>
        stream.write(lines, (e) => {
          if (e == null) resolve()
          else reject(e)
        }),
      ),
  }
}
