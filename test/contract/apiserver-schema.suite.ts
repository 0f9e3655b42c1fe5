import { describe, expect, it } from 'vitest'
import { configMap, GROUP, widget } from './apiserver-fixtures.ts'
import type { Setup } from './apiserver-setup.ts'

/** Custom resources: schema, generation, status. */
export function schemaContract(use: () => Setup) {
  describe('a custom resource', () => {
    it('loses unknown fields, gains defaults, and has no status at first', async () => {
      const { api, widgets } = use()
      const { status, body, headers } = await api.post(widgets, {
        ...widget('pruned', {
          size: 2,
          zzz: 1,
          free: { any: [1] },
          port: 'http',
          maybe: null,
          node: null,
        }),
        status: { phase: 'x' },
      })

      expect(status).toBe(201)
      expect(body.spec).toEqual({
        size: 2,
        color: 'red',
        free: { any: [1] },
        port: 'http',
        maybe: null,
      })
      expect(body).not.toHaveProperty('status')
      expect(headers['warning']).toContain('unknown field \\"spec.zzz\\"')
    })

    it('with fieldValidation=Strict refuses unknown fields', async () => {
      const { api, widgets } = use()
      const body = widget('strict', { size: 2, zzz: 1 })
      const answer = await api.post(`${widgets}?fieldValidation=Strict`, body)

      expect(answer.status).toBe(400)
      expect(answer.body.message).toContain('strict decoding error: unknown field "spec.zzz"')
    })

    it.each([
      [{ size: 20 }, 'spec.size', 'FieldValueInvalid', 'should be less than or equal to 10'],
      [{ size: 0 }, 'spec.size', 'FieldValueInvalid', 'should be greater than or equal to 1'],
      [{ size: '2' }, 'spec.size', 'FieldValueTypeInvalid', 'must be of type integer: "string"'],
      [{}, 'spec.size', 'FieldValueRequired', 'Required value'],
      [{ size: 1, color: 'green' }, 'spec.color', 'FieldValueNotSupported', '"red", "blue"'],
      [{ size: 1, code: 'A1' }, 'spec.code', 'FieldValueInvalid', "should match '^[a-z]+$'"],
      [{ size: 1, code: 'a' }, 'spec.code', 'FieldValueInvalid', 'at least 2 chars long'],
      [{ size: 1, node: '123456789' }, 'spec.node', 'FieldValueTooLong', 'more than 8 bytes'],
      [{ size: 1, tags: ['a', 'a'] }, 'spec.tags[1]', 'FieldValueDuplicate', '"a"'],
      [{ size: 1, tags: ['a', 'b', 'c', 'd'] }, 'spec.tags', 'FieldValueTooMany', 'at most 3'],
      [{ size: 1, parts: [] }, 'spec.parts', 'FieldValueInvalid', 'at least 1 items'],
      [{ size: 1, parts: [{ n: 1 }] }, 'spec.parts[0].name', 'FieldValueRequired', 'Required'],
      [{ size: 1, when: 'soon' }, 'spec.when', 'FieldValueTypeInvalid', 'of type date-time'],
      [{ size: null }, 'spec.size', 'FieldValueRequired', 'Required value'],
      [{ size: 1, plain: [null] }, 'spec.plain[0]', 'FieldValueTypeInvalid', 'type string: "null"'],
    ])('with spec %j is refused at %s', async (spec, field, reason, message) => {
      const { api, widgets } = use()
      const { status, body } = await api.post(widgets, widget('bad', spec))

      expect([status, body.reason]).toEqual([422, 'Invalid'])
      expect(body.message).toContain(`Widget.${GROUP} "bad" is invalid: `)
      expect(body.details).toMatchObject({ name: 'bad', group: GROUP, kind: 'Widget' })
      expect(body.details.causes[0]).toMatchObject({ field, reason })
      expect(body.details.causes[0].message).toContain(message)
    })

    it.each([
      ['no kind', { metadata: { name: 'a' }, spec: { size: 1 } }],
      ['another version', { ...widget('a'), apiVersion: `${GROUP}/v2` }],
    ])('with %s is refused with 400', async (_what, body) => {
      const { api, widgets } = use()

      expect((await api.post(widgets, body)).status).toBe(400)
    })

    it('counts generations of spec changes only', async () => {
      const { api, widgets } = use()
      const path = `${widgets}/counted`
      const made = await api.post(widgets, widget('counted'))
      const noted = await api.patch(path, { metadata: { annotations: { a: '1' } } })
      const changed = await api.patch(path, { spec: { size: 3 } })
      const reported = await api.patch(`${path}/status`, { status: { phase: 'x' } })

      const generations = [made, noted, changed, reported].map((a) => a.body.metadata.generation)
      expect(generations).toEqual([1, 1, 2, 2])
    })

    it('keeps status and the rest apart', async () => {
      const { api, widgets } = use()
      const path = `${widgets}/halves`
      await api.post(widgets, widget('halves'))
      const main = await api.patch(path, { spec: { size: 4 }, status: { phase: 'ignored' } })
      const status = await api.patch(`${path}/status`, {
        metadata: { labels: { ignored: 'x' } },
        spec: { size: 9 },
        status: { phase: 'kept' },
      })

      expect(main.body).not.toHaveProperty('status')
      expect(status.body.spec.size).toBe(4)
      expect(status.body.status).toEqual({ phase: 'kept' })
      expect(status.body.metadata).not.toHaveProperty('labels')
    })

    it('is only replaced with a version', async () => {
      const { api, widgets } = use()
      await api.post(widgets, widget('versioned'))
      const { status, body } = await api.put(
        `${widgets}/versioned`,
        widget('versioned', { size: 2 }),
      )

      expect(status).toBe(422)
      expect(body.message).toContain(
        'metadata.resourceVersion: Invalid value: 0: must be specified',
      )
    })
  })

  describe('a table', () => {
    it('has the printer columns of a custom kind', async () => {
      const { api, widgets } = use()
      await api.post(widgets, widget('tabled', { size: 7 }))
      await api.patch(`${widgets}/tabled/status`, {
        status: { conditions: [{ type: 'Ready', status: 'True' }] },
      })
      const { body } = await api.get(`${widgets}/tabled`, {
        accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json',
      })

      expect(body.kind).toBe('Table')
      expect(body.columnDefinitions.map((c: { name: string }) => c.name)).toEqual([
        'Name',
        'Size',
        'Ready',
      ])
      expect(body.rows[0].cells).toEqual(['tabled', 7, 'True'])
    })

    it('metadata alone can be asked for', async () => {
      const { api, configmaps } = use()
      await api.post(configmaps, configMap('partial', { secret: 'x' }))
      const { body } = await api.get(`${configmaps}/partial`, {
        accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
      })

      expect([body.kind, body.metadata.name, body.data]).toEqual([
        'PartialObjectMetadata',
        'partial',
        undefined,
      ])
    })
  })
}
