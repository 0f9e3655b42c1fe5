import { expect, it } from 'vitest'
import { shortened } from './timeline-chart.ts'

it('long names that differ at their end stay different, and their beginning can be read', () => {
  const names = ['production-analytics/clickhouse-data-0', 'production-analytics/clickhouse-data-1']
  const shown = names.map((name) => shortened(name, 20))
  expect(new Set(shown).size).toBe(2)
  for (const name of shown) {
    expect(name).toHaveLength(20)
    expect(name).toMatch(/^product….*data-[01]$/)
  }
  expect(shortened('shop/orders', 20)).toBe('shop/orders')
})
