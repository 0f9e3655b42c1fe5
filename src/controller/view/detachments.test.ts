import { expect, it } from 'vitest'
import { Detachments } from './detachments.ts'

const DETACHED = { kubernetes: false, cinder: false }
const ATTACHED = { kubernetes: true, cinder: true }

function since(d: Detachments): (number | undefined)[] {
  const { detachedSinceByKubernetes, detachedSinceByCinder } = d.of('v')
  return [detachedSinceByKubernetes, detachedSinceByCinder]
}

it('a volume first seen detached is so since Cinder last changed it', () => {
  const d = new Detachments()
  d.note('v', DETACHED, { now: 1000, changedAt: 400 })
  expect(since(d)).toEqual([400, 400])
  d.note('v', DETACHED, { now: 2000, changedAt: 1500 })
  expect(since(d)).toEqual([400, 400])
})

it.each([
  ['says when it changed it in no way that can be read', NaN],
  ['has a clock that runs ahead', 1200],
])('begins now when Cinder %s', (_, changedAt) => {
  const d = new Detachments()
  d.note('v', DETACHED, { now: 1000, changedAt })
  expect(since(d)).toEqual([1000, 1000])
})

it('one that was seen attached is detached since it was seen to be', () => {
  const d = new Detachments()
  d.note('v', ATTACHED, { now: 1000, changedAt: 400 })
  expect(since(d)).toEqual([undefined, undefined])
  // the snapshot of Cinder may be older than the attachment
  d.note('v', DETACHED, { now: 2000, changedAt: 400 })
  expect(since(d)).toEqual([2000, 2000])
})

it('an attachment between two counts begins the time again', () => {
  const d = new Detachments()
  d.note('v', DETACHED, { now: 1000, changedAt: 400 })
  d.interrupt('v')
  expect(since(d)).toEqual([undefined, undefined])
  d.note('v', DETACHED, { now: 2000, changedAt: 400 })
  expect(since(d)).toEqual([2000, 2000])
})

it('a detachment noted while the clock ran ahead counts from now on, not from a time to come', () => {
  const d = new Detachments()
  d.note('v', ATTACHED, { now: 1000, changedAt: 400 })
  d.note('v', DETACHED, { now: 900_000, changedAt: 400 })
  d.note('v', DETACHED, { now: 2000, changedAt: 400 })
  d.note('v', DETACHED, { now: 3000, changedAt: 400 })
  expect(since(d)).toEqual([2000, 2000])
})
