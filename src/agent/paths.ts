import type { Disk } from './disk-list.ts'

/** The head device of a native NVMe path: `nvme0c1n1` → `nvme0n1`; undefined for anything else. */
export function pathOf(name: string): string | undefined {
  const [, subsystem, namespace] = /^nvme(\d+)c\d+n(\d+)$/.exec(name) ?? []
  return subsystem === undefined ? undefined : `nvme${subsystem}n${namespace}`
}

/**
 * Whether disks of one serial are paths to one volume. A whole volume id proves it, except that all namespaces of one
 * NVMe controller report the same serial. 20 characters do not: there the world-wide name must be the same.
 */
export function sameDisk(group: readonly Disk[], wholeId: boolean): boolean {
  if (namespacesOf(group).size > 1) return false
  if (wholeId) return true
  const names = new Set(group.map(worldWideName))
  return names.size === 1 && !names.has('')
}

function namespacesOf(group: readonly Disk[]): Set<string | undefined> {
  return new Set(
    group.map((d) => (d.name.startsWith('nvme') ? /n(\d+)$/.exec(d.name)?.[1] : undefined)),
  )
}

/** '' when the disk reports none. */
function worldWideName({ name, identity }: Disk): string {
  return pathOf(name) ?? (identity.kind === 'Volume' ? identity.wwid : '')
}
