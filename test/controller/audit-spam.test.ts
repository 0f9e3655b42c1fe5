import { expect, it } from 'vitest'
import { AuditLines } from '../audit-lines.ts'
import { HOUR, MINUTE, Stage } from './stage.ts'

const TIER = 'couchestor.io/tier'
const FORCE = 'couchestor.io/force-tier'
const EDITS = 200

/** A claim that is where it should be, and says so. */
async function settled(spec: object = {}) {
  const stage = new Stage()
  const lines = new AuditLines()
  stage.policy(spec)
  const volume = stage.claim({ name: 'data', iops: 3000 })
  stage.start({ auditSink: lines })
  const shown = () => stage.pvc('data').metadata.annotations?.[TIER] === 'hot'
  await stage.until(shown, HOUR)
  return { stage, lines, volume, shown }
}

it('an owner who takes our annotations away again and again does not fill the audit', async () => {
  const { stage, lines, shown } = await settled()
  const before = lines.calls().length
  for (let i = 0; i < EDITS; i++) {
    stage.annotate('data', { [TIER]: `mine-${i}` })
    await stage.clock.advance(1000)
  }
  expect(lines.calls().length - before).toBeLessThan(15)
  expect(await stage.until(shown, 10 * MINUTE)).toBe(true)
})

it('an owner who forces and forces not again and again does not fill the audit', async () => {
  const { stage, lines } = await settled({ mode: 'Approve' })
  const before = lines.calls().length
  for (let i = 0; i < EDITS; i++) {
    stage.annotate('data', { [FORCE]: i % 2 === 0 ? 'cold' : undefined })
    await stage.clock.advance(1000)
  }
  expect(lines.calls().length - before).toBeLessThan(15)
})
