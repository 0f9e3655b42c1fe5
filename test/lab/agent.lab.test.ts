import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import type { VolumeActivity } from '../../src/activity/types.ts'
import { createPrometheusSource } from '../../src/activity/prometheus/source.ts'
import { createHttpClient } from '../../src/http.ts'
import { silentLog } from '../../src/log.ts'
import { systemClock } from '../../src/main/system-clock.ts'
import { buildAgent, startAgent, stopAgents } from './agent-process.ts'
import type { AgentProcess } from './agent-process.ts'
import { command } from './command.ts'
import { describeLab } from './describe-lab.ts'
import { theLab } from './env.ts'
import { eventually } from './eventually.ts'
import { createLoopNode } from './loop-node.ts'
import type { DiskRow, LoopDisk, LoopNode } from './loop-node.ts'
import { query, scrapeTarget } from './prometheus.ts'

const NODE = 'agent-lab-node'
const READS = 'couchestor_volume_reads_completed_total'
const WRITES = 'couchestor_volume_writes_completed_total'
const READ_BYTES = 'couchestor_volume_read_bytes_total'
const WRITTEN_BYTES = 'couchestor_volume_written_bytes_total'
/** A file system on the device, as a pod has. */
const FILES = 'a6e17000-1ab0-4f00-8000-000000000001'
/** The device itself, as a raw block claim. */
const RAW = 'a6e17000-1ab0-4f00-8000-000000000002'
const OTHER = 'a6e17000-1ab0-4f00-8000-000000000003'

let folder: string
let node: LoopNode
let agent: AgentProcess
let files: LoopDisk
let raw: LoopDisk
let mounted: string
let removeTarget: () => void

/** A scrape that begins now: who asks while Prometheus is being served gets what that one gets, which began before. */
async function scraped(): Promise<string> {
  await agent.scrape()
  return agent.scrape()
}

/** What the agent shows of a volume, or undefined when it shows nothing. */
async function shown(volumeId: string): Promise<DiskRow | undefined> {
  const text = await scraped()
  const value = (name: string) => {
    const line = text.split('\n').find((l) => l.startsWith(`${name}{volume_id="${volumeId}"`))
    return line === undefined ? undefined : Number(line.split(' ').at(-1))
  }
  const reads = value(READS)
  if (reads === undefined) return undefined
  return {
    reads,
    sectorsRead: (value(READ_BYTES) ?? NaN) / 512,
    writes: value(WRITES) ?? NaN,
    sectorsWritten: (value(WRITTEN_BYTES) ?? NaN) / 512,
  }
}

function dd(from: string, to: string, blocks: number, ...more: string[]): Promise<string> {
  return command('dd', [`if=${from}`, `of=${to}`, 'bs=4096', `count=${blocks}`, ...more])
}

async function up(): Promise<number | undefined> {
  return (await query(`up{instance="${agent.address}"}`))[0]?.value
}

describeLab('the agent, on block devices of the kernel', () => {
  beforeAll(async () => {
    folder = await buildAgent()
    node = createLoopNode()
    files = await node.attach(181, FILES)
    raw = await node.attach(182, RAW)
    mounted = join(node.sys, '..', 'mounted')
    await mkdir(mounted)
    await command('mkfs.ext4', ['-q', files.device])
    await command('mount', [files.device, mounted])
    agent = await startAgent(folder, [
      `--node-name=${NODE}`,
      '--cloud-provider=openstack',
      `--sys=${node.sys}`,
      '--ignored-disks=^dm-',
    ])
    removeTarget = scrapeTarget('agent-lab', agent.address, { instance: agent.address })
  })
  afterAll(async () => {
    removeTarget?.()
    await stopAgents()
    await command('umount', [mounted]).catch(() => {})
    await node.down()
  })

  it('shows the numbers of /proc/diskstats, before a load and after it', async () => {
    await eventually('the file system is at rest', async () => {
      const before = node.row(files)
      return JSON.stringify(await shown(FILES)) === JSON.stringify(before)
    })
    const before = node.row(files)!
    await dd('/dev/urandom', join(mounted, 'data'), 512, 'oflag=direct', 'conv=fsync')
    await eventually('the same numbers again', async () => {
      const seen = await shown(FILES)
      return JSON.stringify(seen) === JSON.stringify(node.row(files)) && seen
    })
    const after = (await shown(FILES))!
    expect(after.writes - before.writes).toBeGreaterThanOrEqual(512)
    expect(after.sectorsWritten - before.sectorsWritten).toBeGreaterThanOrEqual(512 * 8)
  })

  it('counts a raw block claim to the operation', async () => {
    const before = (await shown(RAW))!
    await dd('/dev/zero', raw.device, 1000, 'oflag=direct')
    await dd(raw.device, '/dev/null', 300, 'iflag=direct')
    const after = (await shown(RAW))!

    expect(after).toEqual(node.row(raw))
    expect(after.writes - before.writes).toBe(1000)
    expect(after.sectorsWritten - before.sectorsWritten).toBe(8000)
    expect(after.reads - before.reads).toBe(300)
    expect(after.sectorsRead - before.sectorsRead).toBe(2400)
  })

  it('is scraped by Prometheus, and the preset "agent" reads the load of each volume from it', async () => {
    await eventually('the target is up', async () => (await up()) === 1)
    const [series] = await query(`${WRITES}{volume_id="${RAW}"}`)
    expect(series?.labels).toMatchObject({ volume_id: RAW, node: NODE, device: raw.name })

    const http = createHttpClient()
    const source = createPrometheusSource({
      http,
      config: { endpoint: theLab().prometheusUrl, queryTimeoutMs: 10_000, preset: 'agent' },
      clock: systemClock,
      random: Math.random,
      log: silentLog,
    })
    const windowSeconds = 40
    const lately = () => Math.floor(Date.now() / 1000) - 6
    const measured = async (endSeconds = lately()): Promise<VolumeActivity | undefined> => {
      const answer = await source.window({ endSeconds, windowSeconds })
      if (answer.kind === 'Down') throw new Error(answer.why)
      return answer.volumes.get(RAW)
    }
    try {
      await eventually('a window without load', async () => {
        const seen = await measured()
        return seen?.operationsPerSecond === 0 && seen.coveragePercent > 85
      })
      await dd('/dev/zero', raw.device, 2000, 'oflag=direct')
      const { writes } = (await shown(RAW))!
      const seen = await eventually('a window with the whole load', async () => {
        const end = lately()
        const [newest] = await query(`${WRITES}{volume_id="${RAW}"}`, end)
        return newest?.value === writes && (await measured(end))
      })
      expect(seen.operationsPerSecond).toBeGreaterThanOrEqual(2000 / windowSeconds)
      // rate() extends what lies between the first and the last sample to the whole window: 40/35 at most
      expect(seen.operationsPerSecond).toBeLessThan((2000 / windowSeconds) * 1.2)
      expect(seen.bytesPerSecond / seen.operationsPerSecond).toBeCloseTo(4096, 0)
      expect(seen.coveragePercent).toBeGreaterThan(85)
      expect(seen.coveragePercent).toBeLessThanOrEqual(100)
    } finally {
      await http.close()
    }
  }, 500_000)

  it('leaves a disk out while the kernel does not count, and says so', async () => {
    const switched = `/sys/block/${raw.name}/queue/iostats`
    await writeFile(switched, '0')
    expect(await shown(RAW)).toBeUndefined()
    expect(await scraped()).toContain(
      `couchestor_agent_disk_skipped_info{node="${NODE}",device="${raw.name}",reason="accounting_off"} 1\n`,
    )
    await writeFile(switched, '1')
    expect(await shown(RAW)).toEqual(node.row(raw))
  })

  it('answers at once while the serial of a disk hangs, and counts the others', async () => {
    const hanging = join(node.sys, 'block', 'vdz')
    await mkdir(join(hanging, 'queue'), { recursive: true })
    // opening a pipe that nobody writes to waits for ever, as reading from a dead hypervisor does
    await command('mkfifo', [join(hanging, 'serial')])
    await writeFile(join(hanging, 'diskseq'), '999999\n')
    await writeFile(join(hanging, 'queue', 'iostats'), '1\n')
    // a loop device that comes is an event of the kernel
    const other = await node.attach(183, OTHER)

    const begin = performance.now()
    const first = await scraped()
    expect(performance.now() - begin).toBeLessThan(5000)
    expect(first).toContain(`couchestor_agent_hanging_reads{node="${NODE}"} 1\n`)
    expect(await shown(RAW)).toEqual(node.row(raw))
    expect(await shown(OTHER)).toEqual(node.row(other))

    // another agent, since this one is needed: a thread that hangs keeps it from ending, not for long
    const doomed = await startAgent(folder, [`--node-name=${NODE}`, `--sys=${node.sys}`])
    await doomed.scrape()
    expect(await doomed.stop()).toBe('SIGKILL')
    expect(doomed.text()).toContain('"hangingReads":1,"msg":"couchestor agent ended"')

    // out of sight before it answers: a reader that opens the pipe afterwards would wait for ever
    const gone = join(node.sys, '..', 'gone')
    await rename(hanging, gone)
    await command('sh', ['-c', 'echo none > "$0"', join(gone, 'serial')])
    await command('rm', ['-r', gone])
    await node.detach(other)
    await eventually('nothing hangs', async () =>
      (await agent.scrape()).includes(`couchestor_agent_hanging_reads{node="${NODE}"} 0\n`),
    )
  })

  it('ends the series of a volume that is detached, and no other', async () => {
    const count = async (volumeId: string) =>
      (await query(`${WRITES}{volume_id="${volumeId}"}`)).length
    // Prometheus may have scraped just while the kernel did not count it
    await eventually('the volume has a series', async () => (await count(RAW)) === 1)
    await node.detach(raw)
    expect(await shown(RAW)).toBeUndefined()
    // stale at the next scrape, not after the five minutes of a target that is gone
    await eventually('the series is stale', async () => (await count(RAW)) === 0, 60)
    expect(await count(FILES)).toBe(1)
    expect(await up()).toBe(1)
  })

  it('gives a volume on the same device name its own counters, from 0', async () => {
    const next = await node.attach(182, OTHER)
    expect(next.name).toBe(raw.name)
    expect(await shown(RAW)).toBeUndefined()
    const before = (await shown(OTHER))!
    expect(before).toEqual(node.row(next))
    expect(before.writes).toBe(0)
    await dd('/dev/zero', next.device, 50, 'oflag=direct')
    expect((await shown(OTHER))?.writes).toBe(50)
    await node.detach(next)
  })

  it('ends with code 0 at SIGTERM', async () => {
    expect(await agent.stop()).toBe(0)
    expect(agent.text()).toContain('couchestor agent ended')
  })
})
