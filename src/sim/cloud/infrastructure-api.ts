import type { SimResponse } from '../handler.ts'
import type { Context } from './context.ts'
import type { BackendRow } from './model.ts'
import { json } from '../json-reply.ts'
import { forbidden } from './reply.ts'
import { cinderTime } from './times.ts'

/** What describes the cloud below the volumes: zones for everybody, pools and services for administrators. */
export const infrastructure = { zones, pools, services }

function zones(ctx: Context): SimResponse {
  const names = [...new Set(ctx.state.backends.map((b) => b.availabilityZone))]
  const available = (zone: string) =>
    ctx.state.backends.some((b) => b.availabilityZone === zone && b.up)
  return json(200, {
    availabilityZoneInfo: names.map((zoneName) => ({
      zoneName,
      zoneState: { available: available(zoneName) },
    })),
  })
}

function pools(ctx: Context): SimResponse {
  if (!ctx.caller.isAdmin) throw forbidden('scheduler_extension:scheduler_stats:get_pools')
  const detail = ctx.query.get('detail')?.toLowerCase() === 'true'
  return json(200, {
    pools: ctx.state.backends.map((b) => ({
      name: b.host,
      ...(detail && { capabilities: capabilities(ctx, b) }),
    })),
  })
}

const capabilities = (ctx: Context, b: BackendRow) => ({
  vendor_name: 'Open Source',
  driver_version: '1.3.0',
  storage_protocol: 'ceph',
  total_capacity_gb: b.totalGiB,
  free_capacity_gb: b.totalGiB - b.allocatedGiB,
  reserved_percentage: 0,
  multiattach: true,
  thin_provisioning_support: true,
  max_over_subscription_ratio: '20.0',
  backend_state: b.up ? 'up' : 'down',
  volume_backend_name: b.name,
  replication_enabled: false,
  allocated_capacity_gb: b.allocatedGiB,
  filter_function: null,
  goodness_function: null,
  timestamp: cinderTime(ctx.state.clock.now()),
})

function services(ctx: Context): SimResponse {
  if (!ctx.caller.isAdmin) throw forbidden('volume_extension:services:index')
  const common = { status: 'enabled', updated_at: cinderTime(ctx.state.clock.now()) }
  const scheduler = { binary: 'cinder-scheduler', host: 'sim', zone: 'nova', state: 'up' }
  const volume = ctx.state.backends.map((b) => ({
    binary: 'cinder-volume',
    host: b.host.split('#')[0],
    zone: b.availabilityZone,
    state: b.up ? 'up' : 'down',
    backend_state: b.up ? 'up' : 'down',
    replication_status: 'disabled',
    active_backend_id: null,
    frozen: false,
  }))
  const { service } = ctx.state.backupService
  const backup = { binary: 'cinder-backup', host: 'sim', zone: 'nova' }
  const backups =
    service === 'absent' ? [] : [{ ...backup, state: service === 'up' ? 'up' : 'down' }]
  const rest = { cluster: null, disabled_reason: null }
  const binary = ctx.query.get('binary')
  const found = [scheduler, ...volume, ...backups].filter((s) => [null, s.binary].includes(binary))
  return json(200, { services: found.map((s) => ({ ...s, ...common, ...rest })) })
}
