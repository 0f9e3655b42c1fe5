import { describe, expect, it } from 'vitest'
import type { PresetName } from './config.ts'
import { fillTemplate, presetOf } from './presets.ts'

const query = (
  preset: PresetName,
  name: 'operations' | 'readSamples',
  matchers: Record<string, string> = {},
) =>
  fillTemplate(
    presetOf({ endpoint: 'http://p', queryTimeoutMs: 1000, preset, matchers }).templates[name],
    { windowSeconds: 1800 },
  )

describe('the queries of a preset', () => {
  it('of the agent take the rate first, then fold copies, then add the nodes', () => {
    expect(query('agent', 'operations')).toBe(
      'sum by (volume_id) (' +
        'max by (volume_id, node, device) (rate(couchestor_volume_reads_completed_total{volume_id=~".+"}[1800s]))' +
        ' + ' +
        'max by (volume_id, node, device) (rate(couchestor_volume_writes_completed_total{volume_id=~".+"}[1800s]))' +
        ')',
    )
  })

  it('of the agent count the samples of a node once, however many paths lead to the volume', () => {
    expect(query('agent', 'readSamples')).toBe(
      'sum by (volume_id) (' +
        'max by (volume_id, node) (count_over_time(couchestor_volume_reads_completed_total{volume_id=~".+"}[1800s]))' +
        ')',
    )
  })

  it.each(['agent', 'node-exporter', 'libvirt', 'ceph-rbd'] as const)(
    'of %s put the matchers into every selector, quoted',
    (preset) => {
      const text = query(preset, 'operations', { cluster: 'a"b' })
      const selectors = text.match(/\[1800s\]/g)!.length

      expect(text.match(/cluster="a\\"b"/g)).toHaveLength(selectors)
    },
  )

  it.each(['agent', 'node-exporter', 'libvirt', 'ceph-rbd'] as const)(
    'of %s are far below the 16 KiB that some servers take, and leave no placeholder',
    (preset) => {
      for (const name of ['operations', 'readSamples'] as const) {
        expect(query(preset, name).length).toBeLessThan(2048)
        expect(query(preset, name)).not.toContain('{{')
      }
    },
  )
})
