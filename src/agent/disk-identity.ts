import { messageOf } from '../errors.ts'
import type { NodeFiles } from './node-files.ts'
import { attributeIfPresent, textOf } from './node-files.ts'
import { isWhole, trimmed, volumeIdIn, volumeIdInNaa } from './serial-text.ts'
import { designatorsOfPage83, serialOfPage80 } from './vpd-page.ts'

/** Which volume a disk is: its whole id or the first 20 characters; or that it has none, or another's serial. */
export type DiskIdentity =
  | {
      readonly kind: 'Volume'
      readonly id: string
      /** World-wide name of a disk that reports 20 characters only; '' when it reports none. */
      readonly wwid: string
    }
  | { readonly kind: 'NoSerial' }
  | { readonly kind: 'ForeignSerial' }

/** One place that may name the volume: undefined = absent, else all names found there. */
type Place = () => Promise<readonly Name[] | undefined>
type Name = { readonly id: string | undefined }

/**
 * Reads the names of a disk (`dir` = /sys/block/<name>) in the order in which they can be trusted, as far as the first
 * whole id. Rejects with what the kernel answers when a name exists and cannot be read and no other name identifies the volume.
 */
export async function identifyDisk(
  files: NodeFiles,
  dir: string,
  name: string,
): Promise<DiskIdentity> {
  let cut: string | undefined
  let named = false
  let failure: unknown
  for (const place of placesOf(files, dir, name)) {
    try {
      const names = (await place()) ?? []
      named ||= names.length > 0
      const whole = names.find(({ id }) => id !== undefined && isWhole(id))?.id
      if (whole !== undefined) return { kind: 'Volume', id: whole, wwid: '' }
      cut ??= names.find(({ id }) => id !== undefined)?.id
    } catch (e) {
      failure ??= e
    }
  }
  if (cut !== undefined)
    return { kind: 'Volume', id: cut, wwid: await worldWideName(files, dir, name) }
  if (failure !== undefined) throw new Error(messageOf(failure), { cause: failure })
  return { kind: named ? 'ForeignSerial' : 'NoSerial' }
}

function placesOf(files: NodeFiles, dir: string, name: string): readonly Place[] {
  const bytes = (path: string) => attributeIfPresent(files, `${dir}/${path}`)
  const serial = (path: string) => async () => {
    const found = await bytes(path)
    return found && namesIn(textOf(found))
  }
  if (isNvme(name)) return [serial('device/serial')]
  if (!isScsi(name)) return [serial('serial')]
  return [
    async () => {
      const page = await bytes('device/vpd_pg80')
      return page && namesIn(serialOfPage80(page))
    },
    async () => {
      const wwid = await bytes('device/wwid')
      return wwid && namesInWwid(textOf(wwid))
    },
    async () => {
      const page = await bytes('device/vpd_pg83')
      return page && designatorsOfPage83(page).flatMap(namesInDesignator)
    },
  ]
}

/** Shows whether two disks with the same 20 characters are one; virtio disks have none. */
async function worldWideName(files: NodeFiles, dir: string, name: string): Promise<string> {
  const path = isNvme(name) ? 'wwid' : isScsi(name) ? 'device/wwid' : undefined
  if (path === undefined) return ''
  try {
    return trimmed(textOf(await files.attribute(`${dir}/${path}`)))
  } catch {
    return ''
  }
}

function isNvme(name: string): boolean {
  return name.startsWith('nvme')
}

function isScsi(name: string): boolean {
  return /^(sd|cciss)/.test(name)
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
