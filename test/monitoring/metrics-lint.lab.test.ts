import { expect, it } from 'vitest'
import { createRegistry } from '../../src/metrics.ts'
import { registerProcessMetrics } from '../../src/main/process-metrics.ts'
import { command } from '../lab/command.ts'
import { describeLab } from '../lab/describe-lab.ts'
import { HOUR, Stage } from '../controller/stage.ts'
import { agentPage, exporterPage } from '../../tools/metrics-catalogue.ts'
import { controllerRegistry, exporterRegistry } from '../../tools/metrics-registries.ts'

/** What the leader of a fleet shows, series per volume included. */
async function leaderPage(): Promise<string> {
  const stage = new Stage()
  stage.policy()
  stage.claim({ name: 'idle' })
  stage.claim({ name: 'busy', iops: 3000, node: 'node-1' })
  const registry = createRegistry()
  registerProcessMetrics(registry)
  const { controller } = stage.start({ registry, configYaml: 'own_metrics: { per_volume: true }' })
  await stage.clock.advance(2 * HOUR)
  return (await registry.metrics()) + (await controller.volumeMetrics())
}

// promtool comes with the lab's packages; nothing here touches the lab's cluster
describeLab('promtool check metrics', () => {
  it.each<[string, () => Promise<string>]>([
    ['the leader of a fleet', leaderPage],
    ['every metric of the controller', () => controllerRegistry().metrics()],
    ['the agent', () => Promise.resolve(agentPage())],
    ['the exporter', async () => exporterPage() + (await exporterRegistry().metrics())],
  ])('finds nothing to say about %s', async (_, page) => {
    const text = await page()
    expect(text).toMatch(/^couchestor_/m)
    expect(await command('promtool', ['check', 'metrics'], { input: text })).toBe('')
  })
})
