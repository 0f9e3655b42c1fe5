import { close, open, read, readdirSync, readFileSync } from 'node:fs'
import type { NodeFiles } from '../agent/node-files.ts'

/** The kernel shows at most a page of an attribute; VPD pages are shorter than this by far. */
const ATTRIBUTE_BYTES = 4096

export const systemNodeFiles: NodeFiles = {
  text: (path) => readFileSync(path, 'utf8'),
  list: (path) => readdirSync(path),
  attribute,
}

/** Three calls where `readFile` makes five: this is most of what a scrape of many disks costs. */
function attribute(path: string): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    open(path, 'r', (failed, file) => {
      if (failed !== null) return reject(failed)
      const buffer = Buffer.allocUnsafe(ATTRIBUTE_BYTES)
      read(file, buffer, 0, ATTRIBUTE_BYTES, null, (e, length) => {
        // its result changes nothing for what has been read
        close(file, () => {})
        if (e !== null) reject(e)
        else resolve(Uint8Array.from(buffer.subarray(0, length)))
      })
    })
  })
}
