import { expect, it } from 'vitest'
import { answer, network } from './answers.ts'
import { HOUR, MINUTE, Stage } from './stage.ts'

const CONFIG = 'tiers: {cold: {min_capacity_gb: 200}}'

/** An idle volume of 10 GiB that is to go down to cold, and pools that are shown as `admin` says. */
function idle({ admin }: { readonly admin: boolean }) {
  const stage = new Stage()
  stage.policy()
  const volume = stage.claim({ name: 'data', sizeGiB: 10 })
  if (admin) Object.assign(stage.cloud.operator, { roles: ['member', 'admin', 'reader'] })
  const cold = stage.cloud.backend('cold')
  const leaveFree = (gib: number) => void (cold.allocatedGiB = cold.totalGiB - gib)
  return { stage, volume, leaveFree }
}

it('a credential that may not read pools moves volumes down as before, and the policy says so', async () => {
  const { stage, volume, leaveFree } = idle({ admin: false })
  leaveFree(50)
  stage.start({ configYaml: CONFIG })
  expect(await stage.until(() => stage.tier(volume) === 'cold', HOUR)).toBe(true)
  expect(stage.condition('Ready')?.message).toContain(
    'may not read: storage pools (min_capacity_gb of tiers cold has no effect)',
  )
})

it('a move down waits while the best pool of its tier would have too little left', async () => {
  const { stage, volume, leaveFree } = idle({ admin: true })
  leaveFree(209)
  stage.start({ configYaml: CONFIG })
  stage.move('by-hand', { claim: { name: 'data' }, to: 'cold' })
  const message = () =>
    stage.moves('data').find((m) => m.status?.reason === 'PoolLow')?.status?.message
  expect(await stage.until(() => message() !== undefined)).toBe(true)
  expect(message()).toBe(
    'tiers.cold.min_capacity_gb in config.yaml wants 200 GiB to stay free; the best pool has 209 GiB, 0 GiB are on their way there, and the volume has 10 GiB',
  )
  await stage.clock.advance(20 * MINUTE)
  expect(stage.retypes(volume)).toBe(0)
  leaveFree(210)
  expect(await stage.until(() => stage.tier(volume) === 'cold', 20 * MINUTE)).toBe(true)
})

it('a move down waits, and says why, while pools that may be read are not', async () => {
  const { stage, volume } = idle({ admin: true })
  const net = network()
  net.on('GET /scheduler-stats/get_pools', () => answer(503))
  stage.start({ configYaml: CONFIG, gate: net.gate })
  stage.move('by-hand', { claim: { name: 'data' }, to: 'cold' })
  await stage.clock.advance(20 * MINUTE)
  const found = stage.moves('data').find((m) => m.status?.reason === 'PoolLow')
  expect(found?.status?.message).toContain('have not been read since the controller started')
  expect(stage.retypes(volume)).toBe(0)
  net.clear()
  expect(await stage.until(() => stage.tier(volume) === 'cold', 30 * MINUTE)).toBe(true)
})

it('a move up never waits for room in a pool', async () => {
  const { stage, leaveFree } = idle({ admin: true })
  leaveFree(1)
  const up = stage.claim({ name: 'up', tier: 'cold', sizeGiB: 1 })
  stage.start({ configYaml: 'tiers: {hot: {min_capacity_gb: 1000000}}' })
  stage.move('up', { claim: { name: 'up' }, to: 'hot' })
  expect(await stage.until(() => stage.tier(up) === 'hot', 20 * MINUTE)).toBe(true)
})

const PAGE = '<html>please log in</html>'

it('a list of pools that cannot be read does not lift the minimum', async () => {
  const { stage, volume, leaveFree } = idle({ admin: true })
  leaveFree(50)
  const net = network()
  net.on('GET /scheduler-stats/get_pools', (_, nth) => (nth > 1 ? answer(200, PAGE) : undefined))
  stage.start({ configYaml: CONFIG, gate: net.gate })
  stage.move('by-hand', { claim: { name: 'data' }, to: 'cold' })
  await stage.clock.advance(30 * MINUTE)
  expect(net.count('GET /scheduler-stats/get_pools')).toBeGreaterThan(2)
  expect(stage.retypes(volume)).toBe(0)
  const found = stage.moves('data').find((m) => m.status?.reason === 'PoolLow')
  expect(found?.status?.message).toContain('the pools could not be read for')
})

it('moves into one pool are counted together, whatever tier they go to', async () => {
  const { stage, volume, leaveFree } = idle({ admin: true })
  leaveFree(215)
  const other = stage.claim({ name: 'other', sizeGiB: 10 })
  stage.cloud.volumeType('couchestor-warm').extraSpecs['volume_backend_name'] = 'cold'
  stage.start({
    configYaml: 'tiers: {warm: {min_capacity_gb: 200}, cold: {min_capacity_gb: 200}}',
  })
  stage.move('to-cold', { claim: { name: 'data' }, to: 'cold' })
  stage.move('to-warm', { claim: { name: 'other' }, to: 'warm' })
  await stage.clock.advance(20 * MINUTE)
  expect(stage.retypes(volume) + stage.retypes(other)).toBe(1)
})

it('a move that has just ended is counted until the pools show it', async () => {
  const { stage, volume, leaveFree } = idle({ admin: true })
  leaveFree(215)
  const other = stage.claim({ name: 'other', sizeGiB: 10 })
  const net = network()
  const read = 'GET /scheduler-stats/get_pools'
  stage.start({ configYaml: `${CONFIG}\ntasks: {pools: {every: 1m}}`, gate: net.gate })
  stage.move('first', { claim: { name: 'data' }, to: 'cold' })
  expect(await stage.until(() => stage.retypes(volume) === 1)).toBe(true)
  // the scheduler shows what a backend has reported to it a minute ago
  const capabilities = { volume_backend_name: 'cold', free_capacity_gb: 215 }
  net.on(read, () => answer(200, { pools: [{ name: 'a@cold#p', capabilities }] }))
  const isOver = () => stage.ends('data')[0]?.startsWith('Succeeded') === true
  expect(await stage.until(isOver, HOUR)).toBe(true)
  const before = net.count(read)
  expect(await stage.until(() => net.count(read) > before)).toBe(true)
  net.clear()
  stage.move('second', { claim: { name: 'other' }, to: 'cold' })
  await stage.clock.advance(20 * MINUTE)
  expect([stage.retypes(volume), stage.retypes(other)]).toEqual([1, 0])
})
