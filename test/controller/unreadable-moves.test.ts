import { expect, it } from 'vitest'
import { HOUR, MINUTE, Stage } from './stage.ts'

const spec = { claim: { name: 'other' }, to: 'cold', policy: 'tiered' }

/** What only a CustomResourceDefinition without our schema lets through. */
it.each([
  ['no spec', {}, 'spec is missing'],
  ['no claim', { spec: { ...spec, claim: undefined } }, 'spec.claim is missing'],
  ['a claim that is a text', { spec: { ...spec, claim: 'data' } }, 'spec.claim is "data"'],
  ['a status that is a text', { spec, status: 'x' }, 'status is "x"'],
  ['an empty intent', { spec, status: { step: 'Requested', intent: {} } }, 'status.intent.attempt'],
  ['a step that nobody knows', { spec, status: { step: 'Dancing' } }, 'status.step is "Dancing"'],
])(
  'a VolumeMigration with %s is reported on itself, and holds up nobody',
  async (_, broken, problem) => {
    const stage = new Stage()
    stage.policy()
    const idle = stage.claim({ name: 'data', sizeGiB: 10 })
    const other = stage.claim({ name: 'other', iops: 3000 })
    stage.world.api.seed({
      apiVersion: 'couchestor.io/v1alpha1',
      kind: 'VolumeMigration',
      metadata: { name: 'broken', namespace: 'default' },
      ...broken,
    })
    stage.start()
    const isDone = () =>
      stage.retypes(idle) === 1 && stage.cloud.volume(idle.id)?.status === 'available'
    expect(await stage.until(isDone, HOUR)).toBe(true)
    await stage.clock.advance(15 * MINUTE)
    type Event = { reason: string; message: string; involvedObject: { kind: string } }
    const all = stage.world.api.objects('/api/v1/events') as unknown as Event[]
    const told = all.filter((e) => e.reason === 'Unreadable')
    expect(told.map((e) => e.involvedObject.kind)).toEqual(['VolumeMigration'])
    expect(told[0]?.message).toContain(problem)
    expect(stage.retypes(other)).toBe(0)
  },
)
