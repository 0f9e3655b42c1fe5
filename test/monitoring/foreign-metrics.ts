/**
 * Series of other exporters that our dashboards ask for, with their labels: prometheus-libvirt-exporter, node_exporter
 * (1.10 and newer know the serial) and kube-state-metrics.
 */
const LIBVIRT = ['domain', 'target_device']
const NODE = ['device']

export const FOREIGN_METRICS: Readonly<Record<string, readonly string[]>> = {
  libvirt_domain_block_stats_info: [...LIBVIRT, 'serial'],
  libvirt_domain_block_stats_read_bytes_total: LIBVIRT,
  libvirt_domain_block_stats_read_requests_total: LIBVIRT,
  libvirt_domain_block_stats_read_time_seconds_total: LIBVIRT,
  libvirt_domain_block_stats_write_bytes_total: LIBVIRT,
  libvirt_domain_block_stats_write_requests_total: LIBVIRT,
  libvirt_domain_block_stats_write_time_seconds_total: LIBVIRT,
  node_disk_info: [...NODE, 'serial'],
  node_disk_read_bytes_total: NODE,
  node_disk_read_time_seconds_total: NODE,
  node_disk_reads_completed_total: NODE,
  node_disk_write_time_seconds_total: NODE,
  node_disk_writes_completed_total: NODE,
  node_disk_written_bytes_total: NODE,
  // made by Prometheus itself, with the labels of the alerts
  ALERTS: ['alertname', 'alertstate', 'severity', 'policy', 'node'],
  kube_persistentvolume_claim_ref: ['persistentvolume', 'claim_namespace', 'name'],
  kube_persistentvolume_info: ['persistentvolume', 'csi_driver', 'csi_volume_handle'],
}
