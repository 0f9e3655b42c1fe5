import fc from 'fast-check'
import { expect, it } from 'vitest'
import { watchLines } from './watch-lines.ts'

async function linesOf(chunks: readonly string[]): Promise<string[]> {
  const lines: string[] = []
  for await (const line of watchLines(ReadableStream.from(chunks))) lines.push(line)
  return lines
}

it('finds the same lines however the stream is cut', async () => {
  const line = fc
    .string({ minLength: 1, unit: 'grapheme' })
    .map((s) => `x${s.replaceAll('\n', '')}`)
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.array(fc.nat(400)), async (lines, cuts) => {
      const text = lines.map((l) => `${l}\n`).join('')
      const places = [...cuts.filter((c) => c < text.length), text.length].sort((a, b) => a - b)
      let start = 0
      const chunks = places.map((end) => text.slice(start, (start = end)))

      expect(await linesOf(chunks)).toEqual(lines)
    }),
  )
})

it('drops a last line that was cut off, and blank lines', async () => {
  expect(await linesOf(['{"a":1}\n\n{"b":', '2}\n{"c"'])).toEqual(['{"a":1}', '{"b":2}'])
})

it('refuses a stream without any newline instead of keeping all of it', async () => {
  const mebibyte = 'x'.repeat(1024 * 1024)

  await expect(linesOf(Array.from({ length: 33 }, () => mebibyte))).rejects.toThrow('newline')
})
