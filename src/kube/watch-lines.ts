// far above the largest object the API server stores (1.5 MB)
const LONGEST_LINE = 32 * 1024 * 1024

/**
 * Complete lines of a stream, without the newline. Work is linear in the bytes however the stream is cut.
 * A last line without its newline was cut off by the end of the stream and is dropped.
 */
export async function* watchLines(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let parts: string[] = []
  let held = 0
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf('\n'); end >= 0; end = chunk.indexOf('\n', start)) {
      parts.push(chunk.slice(start, end))
      const line = parts.length === 1 ? parts[0]! : parts.join('')
      parts = []
      held = 0
      start = end + 1
      if (line.trim() !== '') yield line
    }
    if (start === chunk.length) continue
    parts.push(chunk.slice(start))
    held += chunk.length - start
    if (held > LONGEST_LINE) throw new Error(`a watch sent ${held} characters without a newline`)
  }
}
