const HEADER = 4
const ASCII = 2
const OF_THE_DISK = 0
const NAA = 3

/** The unit serial number of SCSI page 0x80: 4 bytes of header, then text. Undefined for anything else. */
export function serialOfPage80(page: Uint8Array): string | undefined {
  const body = bodyOf(page, 0x80)
  return body === undefined ? undefined : textOf(body)
}

export type Designator = { readonly kind: 'Text' | 'Naa'; readonly value: string }

/** The names of the disk itself (not of its port or target) in SCSI page 0x83, in the order of the page. */
export function designatorsOfPage83(page: Uint8Array): Designator[] {
  const body = bodyOf(page, 0x83) ?? new Uint8Array()
  const found: Designator[] = []
  for (let at = 0; at + HEADER <= body.length;) {
    const [codeSet = 0, type = 0, , length = 0] = body.subarray(at, at + HEADER)
    const value = body.subarray(at + HEADER, at + HEADER + length)
    at += HEADER + length
    if (((type >> 4) & 3) !== OF_THE_DISK || value.length < length) continue
    if ((type & 15) === NAA) found.push({ kind: 'Naa', value: Buffer.from(value).toString('hex') })
    else if ((codeSet & 15) === ASCII) found.push({ kind: 'Text', value: textOf(value) })
  }
  return found
}

function bodyOf(page: Uint8Array, code: number): Uint8Array | undefined {
  if (page.length < HEADER || page[1] !== code) return undefined
  return page.subarray(HEADER, HEADER + page[2]! * 256 + page[3]!)
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}
