import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A claim and its volume, as kube-state-metrics would show them. */
export type KnownClaim = {
  readonly namespace: string
  readonly name: string
  readonly pv: string
  readonly volumeId: string
}

export type ForeignExporters = { readonly address: string; down(): Promise<void> }

/** What the counters are called, and what they add per second. */
const NODE_DISK = {
  node_disk_reads_completed_total: 120,
  node_disk_writes_completed_total: 60,
  node_disk_read_bytes_total: 120 * 16_384,
  node_disk_written_bytes_total: 60 * 8192,
  node_disk_read_time_seconds_total: 120 * 0.0008,
  node_disk_write_time_seconds_total: 60 * 0.0021,
}
const LIBVIRT = {
  libvirt_domain_block_stats_read_requests_total: 20,
  libvirt_domain_block_stats_write_requests_total: 40,
  libvirt_domain_block_stats_read_bytes_total: 20 * 65_536,
  libvirt_domain_block_stats_write_bytes_total: 40 * 4096,
  libvirt_domain_block_stats_read_time_seconds_total: 20 * 0.004,
  libvirt_domain_block_stats_write_time_seconds_total: 40 * 0.006,
}

const GNOCCHI = {
  couchestor_gnocchi_volume_reads_completed_total: 5,
  couchestor_gnocchi_volume_writes_completed_total: 7,
  couchestor_gnocchi_volume_read_bytes_total: 5 * 32_768,
  couchestor_gnocchi_volume_written_bytes_total: 7 * 32_768,
}

/**
 * One page with what node_exporter, libvirt's exporter and kube-state-metrics show, in their names and labels: the first
 * volume as a virtio disk of a node (its serial cut), the second as a disk of a domain, the third as our exporter
 * for Gnocchi would show it, and all claims.
 */
export async function serveForeign(
  [onNode, onDomain, inGnocchi]: readonly [string, string, string],
  claims: readonly KnownClaim[],
): Promise<ForeignExporters> {
  const began = Date.now()
  const server = createServer((_req, res) => {
    const seconds = (Date.now() - began) / 1000
    const text = [
      `node_disk_info{device="vdb",serial="${onNode.slice(0, 20)}"} 1`,
      `node_disk_info{device="vda",serial=""} 1`,
      ...counted(NODE_DISK, 'device="vdb"', seconds),
      ...counted(NODE_DISK, 'device="vda"', seconds),
      `libvirt_domain_block_stats_info{domain="instance-1",target_device="vdc",serial="${onDomain}"} 1`,
      ...counted(LIBVIRT, 'domain="instance-1",target_device="vdc"', seconds),
      ...counted(GNOCCHI, `volume_id="${inGnocchi}",server_id="s",device="vdd"`, seconds),
      ...claims.flatMap(({ namespace, name, pv, volumeId }) => [
        `kube_persistentvolume_claim_ref{persistentvolume="${pv}",claim_namespace="${namespace}",name="${name}"} 1`,
        `kube_persistentvolume_info{persistentvolume="${pv}",csi_driver="cinder.csi.openstack.org",csi_volume_handle="${volumeId}"} 1`,
      ]),
    ]
    res.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(`${text.join('\n')}\n`)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  return {
    address: `127.0.0.1:${port}`,
    down: () => {
      server.closeAllConnections()
      return new Promise((done) => server.close(() => done()))
    },
  }
}

function counted(
  counters: Readonly<Record<string, number>>,
  labels: string,
  seconds: number,
): string[] {
  return Object.entries(counters).map(
    ([name, perSecond]) => `${name}{${labels}} ${perSecond * seconds}`,
  )
}
