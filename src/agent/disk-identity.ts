import { messageOf } from '../errors.ts'
import type { NodeFiles } from './node-files.ts'
import { ifPresent } from './node-files.ts'
import { isWhole, trimmed, volumeIdIn, volumeIdInNaa } from './serial-text.ts'
import { designatorsOfPage83, serialOfPage80 } from './vpd-page.ts'

/** Which volume a disk is: its whole id or the first 20 characters; or that it tells none, or another's serial. */
export type DiskIdentity =
  | { readonly kind: 'Volume'; readonly id: string }
  | { readonly kind: 'NoSerial' }
  | { readonly kind: 'ForeignSerial' }

/** One place that may name the volume: undefined = absent, else all names found there. */
type Place = () => readonly Name[] | undefined
type Name = { readonly id: string | undefined }

/**
 * Reads the names of a disk (`dir` = /sys/block/<name>) in the order in which they can be trusted, as far as the first
 * whole id. Throws what the kernel answers when a name exists and cannot be read and no other tells the volume.
 */
export function identifyDisk(files: NodeFiles, dir: string, name: string): DiskIdentity {
  let cut: string | undefined
  let named = false
  let failure: unknown
  for (const place of placesOf(files, dir, name)) {
    try {
      const names = place() ?? []
      named ||= names.length > 0
      const whole = names.find(({ id }) => id !== undefined && isWhole(id))?.id
      if (whole !== undefined) return { kind: 'Volume', id: whole }
      cut ??= names.find(({ id }) => id !== undefined)?.id
    } catch (e) {
      failure ??= e
    }
  }
  if (cut !== undefined) return { kind: 'Volume', id: cut }
  if (failure !== undefined) throw new Error(messageOf(failure), { cause: failure })
  return { kind: named ? 'ForeignSerial' : 'NoSerial' }
}

function placesOf(files: NodeFiles, dir: string, name: string): readonly Place[] {
  const serial = (path: string) => () => namesIn(ifPresent(() => files.text(path)))
  if (name.startsWith('vd')) return [serial(`${dir}/serial`)]
  if (name.startsWith('nvme')) return [serial(`${dir}/device/serial`)]
  return [
    () => {
      const page = ifPresent(() => files.bytes(`${dir}/device/vpd_pg80`))
      return namesIn(page && serialOfPage80(page))
    },
    () => namesInWwid(ifPresent(() => files.text(`${dir}/device/wwid`))),
    () => {
      const page = ifPresent(() => files.bytes(`${dir}/device/vpd_pg83`))
      return page && designatorsOfPage83(page).flatMap(namesInDesignator)
    },
  ]
}

function namesIn(text: string | undefined): readonly Name[] | undefined {
  const serial = trimmed(text ?? '')
  return serial === '' ? undefined : [{ id: volumeIdIn(serial) }]
}

/** `naa.<32 hex digits>`, or `t10.<vendor> <product> <serial>`. */
function namesInWwid(text: string | undefined): readonly Name[] | undefined {
  const wwid = trimmed(text ?? '')
  if (wwid === '') return undefined
  if (wwid.startsWith('naa.')) return [{ id: volumeIdInNaa(wwid) }]
  return [{ id: volumeIdIn(wwid.split(/\s+/).at(-1) ?? '') }]
}

function namesInDesignator({ kind, value }: { kind: string; value: string }): readonly Name[] {
  if (kind === 'Naa') return [{ id: volumeIdInNaa(value) }]
  return namesInWwid(value) ?? []
}
