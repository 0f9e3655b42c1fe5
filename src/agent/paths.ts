import type { Disk } from './disk-list.ts'
import type { NodeFiles } from './node-files.ts'
import { trimmed } from './serial-text.ts'

/** The head device of a native NVMe path: `nvme0c1n1` → `nvme0n1`; undefined for anything else. */
export function pathOf(name: string): string | undefined {
  const [, subsystem, namespace] = /^nvme(\d+)c\d+n(\d+)$/.exec(name) ?? []
  return subsystem === undefined ? undefined : `nvme${subsystem}n${namespace}`
}

/**
 * Whether disks of one serial are paths to one volume. A whole volume id proves it, except that all namespaces of one
 * NVMe controller tell the same serial. 20 characters do not: there the world-wide name must be the same.
 */
export function sameDisk(
  files: NodeFiles,
  sys: string,
  group: readonly Disk[],
  wholeId: boolean,
): boolean {
  if (namespacesOf(group).size > 1) return false
  if (wholeId) return true
  const names = new Set(group.map((d) => worldWideName(files, `${sys}/block/${d.name}`, d.name)))
  return names.size === 1 && !names.has('')
}

function namespacesOf(group: readonly Disk[]): Set<string | undefined> {
  return new Set(
    group.map((d) => (d.name.startsWith('nvme') ? /n(\d+)$/.exec(d.name)?.[1] : undefined)),
  )
}

/** '' when the disk tells none. */
function worldWideName(files: NodeFiles, dir: string, name: string): string {
  const head = pathOf(name)
  if (head !== undefined) return head
  try {
    return trimmed(files.text(name.startsWith('nvme') ? `${dir}/wwid` : `${dir}/device/wwid`))
  } catch {
    return ''
  }
}
