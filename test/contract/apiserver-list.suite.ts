import { beforeAll, describe, expect, it } from 'vitest'
import type { Answer, Json } from './apiserver-client.ts'
import { configMap, widget } from './apiserver-fixtures.ts'
import type { Setup } from './apiserver-setup.ts'
import { until } from './apiserver-setup.ts'

const NAMES = ['list-a', 'list-b', 'list-c', 'list-d', 'list-e']

/** Lists: pages, selectors, versions. */
export function listContract(use: () => Setup) {
  const names = (answer: Answer): string[] => answer.body.items.map((o: Json) => o.metadata.name)
  const query = (values: Record<string, string>) => String(new URLSearchParams(values))

  describe('a list', () => {
    beforeAll(async () => {
      const { api, widgets, configmaps } = use()
      for (const [i, name] of NAMES.entries()) {
        const labels = { list: 'yes', n: String(i), ...(i % 2 ? { odd: '' } : {}) }
        const spec = { size: 1, node: i < 2 ? 'one' : 'two' }
        await api.post(widgets, widget(name, spec, { labels }))
        await api.post(configmaps, configMap(name, {}, { labels }))
      }
    })

    it('comes in pages in order of names, all from one version', async () => {
      const { api, widgets } = use()
      const path = (more: Record<string, string>) =>
        `${widgets}?${query({ limit: '2', labelSelector: 'list', ...more })}`
      const first = await api.get(path({}))
      await api.post(widgets, widget('list-bb', { size: 1 }, { labels: { list: 'yes' } }))
      const second = await api.get(path({ continue: first.body.metadata.continue }))
      const third = await api.get(path({ continue: second.body.metadata.continue }))
      await api.delete(`${widgets}/list-bb`)

      expect([names(first), names(second), names(third)]).toEqual([
        ['list-a', 'list-b'],
        ['list-c', 'list-d'],
        ['list-e'],
      ])
      expect(third.body.metadata.continue || undefined).toBeUndefined()
      expect(third.body.metadata.resourceVersion).toBe(first.body.metadata.resourceVersion)
    })

    it('reports what remains when nothing is selected', async () => {
      const { api, configmaps } = use()
      const all = await api.get(configmaps)
      const page = await api.get(`${configmaps}?limit=2`)

      expect(page.body.metadata.remainingItemCount).toBe(all.body.items.length - 2)
    })

    it('has items with a kind for custom resources, and without one for others', async () => {
      const { api, widgets, configmaps } = use()
      const custom = await api.get(`${widgets}?limit=1`)
      const builtIn = await api.get(`${configmaps}?limit=1`)

      expect(custom.body).toMatchObject({ kind: 'WidgetList', items: [{ kind: 'Widget' }] })
      expect(builtIn.body.kind).toBe('ConfigMapList')
      expect(builtIn.body.items[0]).not.toHaveProperty('kind')
    })

    it.each([
      ['list=yes,n=3', ['list-d']],
      ['list,n!=0,n!=1', ['list-c', 'list-d', 'list-e']],
      ['list,n in (0, 4)', ['list-a', 'list-e']],
      ['list,n notin (0,1,2,3)', ['list-e']],
      ['list,!odd', ['list-a', 'list-c', 'list-e']],
      ['list,odd', ['list-b', 'list-d']],
      ['list,n>2', ['list-d', 'list-e']],
    ])('selects by labels: %s', async (labelSelector, expected) => {
      const { api, widgets } = use()
      const answer = await api.get(`${widgets}?${query({ labelSelector })}`)

      expect(names(answer)).toEqual(expected)
    })

    it.each([
      ['metadata.name=list-c', ['list-c']],
      ['spec.node=one', ['list-a', 'list-b']],
      ['spec.node!=one', ['list-c', 'list-d', 'list-e']],
      ['metadata.name=list-a,spec.node=two', []],
    ])('selects by fields: %s', async (fieldSelector, expected) => {
      const { api, widgets } = use()
      const answer = await api.get(`${widgets}?${query({ fieldSelector, labelSelector: 'list' })}`)

      expect(names(answer)).toEqual(expected)
    })

    it.each([
      { fieldSelector: 'spec.size=1' },
      { labelSelector: '==' },
      { resourceVersion: 'abc' },
      { continue: 'abc' },
    ])('with %j is refused with 400', async (values) => {
      const { api, widgets } = use()
      const { status, body } = await api.get(`${widgets}?${query(values)}`)

      expect([status, body.reason]).toEqual([400, 'BadRequest'])
    })

    it('from "any version" knows no pages', async () => {
      const { api, configmaps } = use()
      const { body } = await api.get(
        `${configmaps}?${query({ limit: '2', resourceVersion: '0', labelSelector: 'list' })}`,
      )

      expect([body.items.length, body.metadata.continue]).toEqual([5, undefined])
    })

    it('at an exact version shows what was there', async () => {
      const { api, widgets } = use()
      const before = await api.get(`${widgets}?labelSelector=list`)
      const { resourceVersion } = before.body.metadata
      await api.post(widgets, widget('list-later', { size: 1 }, { labels: { list: 'yes' } }))
      const exact = { labelSelector: 'list', resourceVersion, resourceVersionMatch: 'Exact' }
      // that version or a newer one: the server's cache may be a moment behind
      const atLeast = `${widgets}?${query({ labelSelector: 'list', resourceVersion })}`
      let now: string[] = []
      await until(async () => {
        now = names(await api.get(atLeast))
        return now.includes('list-later')
      })
      const then = await api.get(`${widgets}?${query(exact)}`)
      await api.delete(`${widgets}/list-later`)

      expect(names(then)).toEqual(NAMES)
      expect(now).toEqual([...NAMES, 'list-later'])
    })

    it('of a version to come answers 504 with a time to wait', async () => {
      const { api, widgets } = use()
      const { status, body, headers } = await api.get(`${widgets}?resourceVersion=999999999`)

      expect([status, body.reason, headers['retry-after']]).toEqual([504, 'Timeout', '1'])
    })
  })
}
