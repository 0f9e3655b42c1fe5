import { describe, expect, it } from 'vitest'
import { createVirtualClock } from '../../test/virtual-clock.ts'
import {
  AGENT_READ_BYTES,
  AGENT_READS,
  AGENT_WRITES,
  AGENT_WRITTEN_BYTES,
} from '../activity/prometheus/presets.ts'
import { createLog, silentLog } from '../log.ts'
import { createAgent } from './agent.ts'
import { IGNORED_DISKS } from './disk-list.ts'
import { A, B, createNodeTree, disk, Fault, Hanging, virtio } from './node-tree.fixture.ts'
import type { NodeTree } from './node-tree.fixture.ts'

const agentOn = (tree: NodeTree, log = silentLog, name = 'node-1', clock = createVirtualClock(0)) =>
  createAgent({
    files: tree.files,
    node: name,
    roots: { proc: '/proc', sys: '/sys' },
    ignored: IGNORED_DISKS,
    clock,
    log,
    process: () => ({ residentBytes: 1, cpuSeconds: 2, startSeconds: 3 }),
  })

const linesOf = (text: string, name: string) =>
  text.split('\n').filter((line) => line.startsWith(`${name}{`))

describe('a scrape of the agent', () => {
  it('has the four counters of a volume under the names that the preset asks for', async () => {
    const row = '10 1 80 5 20 2 320 6 0 0 0'
    const text = await agentOn(createNodeTree([virtio('vdb', A, { row })])).scrape()
    const labels = `{volume_id="${A}",node="node-1",device="vdb"}`

    for (const [name, value] of [
      [AGENT_READS, 10],
      [AGENT_WRITES, 20],
      [AGENT_READ_BYTES, 40_960],
      [AGENT_WRITTEN_BYTES, 163_840],
    ] as const) {
      expect(text).toContain(`# TYPE ${name} counter\n${name}${labels} ${value}\n`)
    }
  })

  it('reports the disks that it does not count, and why', async () => {
    const tree = createNodeTree([disk('vda', {}), virtio('vdb', A), virtio('vdc', 'other')])
    const text = await agentOn(tree).scrape()

    expect(linesOf(text, 'couchestor_agent_disk_skipped_info')).toEqual([
      'couchestor_agent_disk_skipped_info{node="node-1",device="vda",reason="no_serial"} 1',
      'couchestor_agent_disk_skipped_info{node="node-1",device="vdc",reason="foreign_serial"} 1',
    ])
    expect(text).toContain('couchestor_agent_disks{node="node-1",state="counted"} 1\n')
    expect(text).toContain('couchestor_agent_disks{node="node-1",state="no_serial"} 1\n')
    expect(text).toContain('couchestor_agent_disks{node="node-1",state="accounting_off"} 0\n')
  })

  it('has every metric once, with help and type before its samples', async () => {
    const text = await agentOn(createNodeTree([virtio('vdb', A), virtio('vdc', B)])).scrape()
    const types = text.split('\n').filter((line) => line.startsWith('# TYPE'))

    expect(new Set(types).size).toBe(types.length)
    expect(text.split('\n').filter((line) => line.startsWith('# HELP'))).toHaveLength(types.length)
    expect(text.endsWith('\n')).toBe(true)
  })

  it('is the same for two who ask at the same time', async () => {
    const agent = agentOn(createNodeTree([virtio('vdb', A)]))

    const [one, other] = await Promise.all([agent.scrape(), agent.scrape()])
    expect(other).toBe(one)
  })

  it('escapes what would end a label', async () => {
    const text = await agentOn(createNodeTree([virtio('vdb', A)]), silentLog, 'a"b\\c\nd').scrape()

    expect(text).toContain(`volume_id="${A}",node="a\\"b\\\\c\\nd",device="vdb"`)
  })

  it.each(['/proc/diskstats', '/sys/block'])(
    'without %s says so and gives no counters',
    async (path) => {
      const tree = createNodeTree([virtio('vdb', A)])
      const agent = agentOn(tree)
      tree.put(path, new Fault('EACCES'))
      tree.put('/sys/kernel/uevent_seqnum', '7')
      await agent.scrape()
      const text = await agent.scrape()

      expect(text).toContain('couchestor_agent_scrape_success{node="node-1"} 0\n')
      expect(text).toContain('couchestor_agent_scrape_failures_total{node="node-1"} 2\n')
      expect(text).not.toContain('couchestor_volume_')
    },
  )

  it('recovers by itself, and reports a lasting failure once in the log', async () => {
    const lines: string[] = []
    const tree = createNodeTree([virtio('vdb', A)])
    const agent = agentOn(tree, createLog('info', { write: (line) => void lines.push(line) }))
    tree.put('/proc/diskstats', new Fault('EACCES'))
    await agent.scrape()
    await agent.scrape()
    tree.become([virtio('vdb', A)])

    expect(await agent.scrape()).toContain('couchestor_agent_scrape_success{node="node-1"} 1\n')
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain('EACCES')
  })
})

describe('an agent that is to end', () => {
  it('does not take a read that a scrape has just begun for one that hangs', async () => {
    const serial = new Hanging(A)
    const agent = agentOn(createNodeTree([virtio('vdb', serial)]))
    const scraped = agent.scrape()
    const hanging = agent.hangingReads()
    serial.returned.resolve()

    await scraped
    expect(await hanging).toBe(0)
  })

  it('knows the reads that do not return, also of the scrape under way', async () => {
    const clock = createVirtualClock(0)
    const tree = createNodeTree([virtio('vdb', new Hanging(A))])
    const agent = agentOn(tree, silentLog, 'node-1', clock)
    void agent.scrape()
    const hanging = agent.hangingReads()
    await clock.advance(1000)

    expect(await hanging).toBe(1)
    expect(await agent.hangingReads()).toBe(1)
  })
})
