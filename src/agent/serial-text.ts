const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
/** virtio-blk, NVMe and older QEMU cut a serial to 20 bytes: 17 of the 32 hex digits. */
const CUT = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]$/
/** Hypervisors that give the id as a NAA name leave the dashes out. Storage arrays use the same length, so only ids of version 4 count. */
const BARE_UUID = /^([0-9a-f]{8})([0-9a-f]{4})(4[0-9a-f]{3})([89ab][0-9a-f]{3})([0-9a-f]{12})$/

/** The volume's id as its 36 or first 20 characters, in lower case; undefined when the text is no volume id. */
export function volumeIdIn(text: string): string | undefined {
  const id = text.toLowerCase()
  return UUID.test(id) || CUT.test(id) ? id : undefined
}

/** The id in a `naa.` name of 32 hex digits. */
export function volumeIdInNaa(digits: string): string | undefined {
  const parts = BARE_UUID.exec(digits.toLowerCase().replace(/^(naa\.|0x)/, ''))
  return parts?.slice(1).join('-')
}

export function isWhole(id: string): boolean {
  return id.length === 36
}

/** Serials are padded with blanks or zero bytes. */
export function trimmed(text: string): string {
  return text.replaceAll('\0', ' ').trim()
}
