/**
 * The text of a file's bytes. PowerShell's `>` and Windows editors write UTF-16 and byte order marks, which a plain UTF-8
 * reader turns into characters that no parser explains.
 */
export function textOf(bytes: Uint8Array): string {
  const [a, b, c] = bytes
  if (a === 0xff && b === 0xfe) return new TextDecoder('utf-16le').decode(bytes)
  if (a === 0xfe && b === 0xff) return new TextDecoder('utf-16be').decode(bytes)
  if (a === 0xef && b === 0xbb && c === 0xbf) return new TextDecoder('utf-8').decode(bytes)
  // without a mark: of two bytes of an ASCII character in UTF-16 one is zero
  if (a !== 0 && b === 0 && bytes.length % 2 === 0) return new TextDecoder('utf-16le').decode(bytes)
  if (a === 0 && b !== 0 && bytes.length % 2 === 0) return new TextDecoder('utf-16be').decode(bytes)
  return new TextDecoder('utf-8').decode(bytes)
}
