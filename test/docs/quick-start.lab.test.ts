import { afterAll, beforeAll, expect, it } from 'vitest'
import { buildController } from '../lab/controller-process.ts'
import { describeLab } from '../lab/describe-lab.ts'
import { install } from '../lab/install.ts'
import { kubectl } from '../lab/kubectl.ts'
import { neverInstalled } from './never-installed.ts'
import { aReader } from './reader.ts'
import type { Reader } from './reader.ts'
import { stepsOf } from './walks.ts'

const STEPS = stepsOf('docs/quick-start.md').map(({ text }) => [text.split('\n')[0]!, text])
/** What the page promises. Its steps wait for the cluster, so this is no measure of speed. */
const PROMISED_SECONDS = 300

describeLab('the quick start, word for word', () => {
  const seconds: number[] = []
  const printed: string[] = []
  let reader: Reader

  beforeAll(async () => {
    // the image that the lab's kubelet runs
    await buildController()
    await neverInstalled()
    reader = aReader()
  })
  afterAll(async () => {
    reader.leave()
    await kubectl(['delete', 'pvc/quick-start', 'sc/couchestor-try', '--ignore-not-found'])
    await neverInstalled()
    // other tests find the lab as it was
    await install()
  })

  it.each(STEPS)('%s', async (_, text = '') => {
    const ran = await reader.follow(text)
    seconds.push(ran.seconds)
    printed.push(ran.output)
    expect(ran.code).toBe(0)
  })

  it('shows the volume on the tier it was sent to', () => {
    expect(printed.at(-2)).toBe('warm\n')
  })

  it('takes less than the five minutes it promises', () => {
    const total = seconds.reduce((sum, s) => sum + s, 0)
    process.stdout.write(`quick start: ${total.toFixed(0)} s\n`)
    expect(seconds).toHaveLength(STEPS.length)
    expect(total).toBeLessThan(PROMISED_SECONDS)
  })
})
