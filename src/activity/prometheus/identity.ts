import type { IdentityKind } from './presets.ts'

/** What a label says about the volume: its id, nothing we manage, or why it cannot be determined. */
export type Identity =
  | { readonly kind: 'Volume'; readonly id: string }
  | { readonly kind: 'Foreign' }
  | { readonly kind: 'Ambiguous' }
  | { readonly kind: 'Unknown' }

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
/** virtio-blk cuts a serial to 20 bytes: 17 of the 32 hex digits. */
const CUT_LENGTH = 20
const CUT = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]$/

/** Reads labels as volume ids. Built once per answer, since it indexes the known volumes by their cut serial. */
export function createIdentifier(
  kind: IdentityKind,
  knownVolumes: (() => Iterable<string>) | undefined,
): (label: string) => Identity {
  let index: Map<string, string | undefined> | undefined
  const cut = (prefix: string): Identity => {
    if (knownVolumes === undefined) return { kind: 'Unknown' }
    index ??= indexByCut(knownVolumes())
    if (!index.has(prefix)) return { kind: 'Foreign' }
    const id = index.get(prefix)
    return id === undefined ? { kind: 'Ambiguous' } : { kind: 'Volume', id }
  }
  return (label) => {
    const text = label.toLowerCase()
    const id = kind === 'image' ? text.replace(/^volume-/, '') : text
    if (UUID.test(id)) return { kind: 'Volume', id }
    return kind === 'serial' && CUT.test(id) ? cut(id) : { kind: 'Foreign' }
  }
}

/** Undefined marks a cut serial that two volumes share. */
function indexByCut(ids: Iterable<string>): Map<string, string | undefined> {
  const index = new Map<string, string | undefined>()
  for (const id of ids) {
    const prefix = id.toLowerCase().slice(0, CUT_LENGTH)
    const seen = index.get(prefix)
    const clash = index.has(prefix) && seen !== id.toLowerCase()
    index.set(prefix, clash ? undefined : id.toLowerCase())
  }
  return index
}
