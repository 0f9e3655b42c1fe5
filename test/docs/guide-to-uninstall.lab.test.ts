import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { retypesOf } from '../lab/cinder-log.ts'
import { NAMESPACE } from '../chart/helm.ts'
import { buildController } from '../lab/controller-process.ts'
import { describeLab } from '../lab/describe-lab.ts'
import { install } from '../lab/install.ts'
import { apply, kubectl } from '../lab/kubectl.ts'
import { signal } from '../lab/processes.ts'
import { installTheGuide, makeClaim } from './guide-installation.ts'
import { neverInstalled } from './never-installed.ts'
import { aReader } from './reader.ts'
import type { Reader } from './reader.ts'
import { stepsOf } from './walks.ts'

const POLICY = 'openstack-tiered-policy'
const MOVED = 'docs-guide'
const steps = (page: string) =>
  stepsOf(`docs/${page}.md`).map(({ text }) => [text.trim().split('\n')[0]!, text])

describeLab('from the guide to the chart, a month with it, and away again, word for word', () => {
  let reader: Reader
  let volume: string
  let uid: string
  let kept: string
  let stopped = false
  const goOn = () => {
    if (stopped) signal('cinder-volume', 'SIGCONT')
    stopped = false
  }
  const uids = () =>
    kubectl(['get', `stp/${POLICY}`, `vmig/${MOVED}`, '-o', 'jsonpath={.items[*].metadata.uid}'])

  beforeAll(async () => {
    await buildController()
    await neverInstalled()
    await installTheGuide()
    volume = await makeClaim(MOVED, POLICY)
    await makeClaim('my-claim')
    reader = aReader()
  })
  afterAll(async () => {
    goOn()
    reader.leave()
    await kubectl([
      'delete',
      `pvc/${MOVED}`,
      'pvc/my-claim',
      'sc/couchestor-restore',
      '--ignore-not-found',
    ])
    await neverInstalled()
    // other tests find the lab as it was
    await install()
  })

  it("begins with the guide's controller in the middle of a move", async () => {
    // so that the move is not over before the page is
    signal('cinder-volume', 'SIGSTOP')
    stopped = true
    await apply({
      apiVersion: 'couchestor.io/v1alpha1',
      kind: 'VolumeMigration',
      metadata: { name: MOVED },
      spec: { claim: { name: MOVED }, to: 'warm', policy: POLICY },
    })
    await kubectl([
      'wait',
      '--for=jsonpath={.status.step}=Retyping',
      `vmig/${MOVED}`,
      '--timeout=110s',
    ])
    uid = await uids()
    expect(uid).toMatch(/^\S+ \S+$/)
  })

  describe('from-the-guide.md', () => {
    it.each(steps('from-the-guide'))('%s', async (first, text = '') => {
      // Cinder ends the move while no controller is there
      if (first.startsWith('kubectl label crd')) {
        const gone = ['wait', '--for=delete', 'pod', '-l', 'app=couchestor', '--timeout=110s']
        await kubectl(['-n', NAMESPACE, ...gone])
        goOn()
      }
      await expect(reader.follow(text)).resolves.toHaveProperty('code', 0)
    })

    it('has kept policy and move, and the new controller ends what the old one began', async () => {
      expect(await uids()).toBe(uid)
      await kubectl(['wait', '--for=condition=Succeeded', `vmig/${MOVED}`, '--timeout=110s'])
      expect(retypesOf(volume)).toHaveLength(1)
    })
  })

  describe('observe-to-auto.md', () => {
    it.each(steps('observe-to-auto'))('%s', async (_, text = '') => {
      await expect(reader.follow(text)).resolves.toHaveProperty('code', 0)
    })
  })

  describe('troubleshooting.md', () => {
    it.each(steps('troubleshooting'))('%s', async (_, text = '') => {
      await expect(reader.follow(text)).resolves.toHaveProperty('code', 0)
    })
  })

  describe('uninstall.md', () => {
    it.each(steps('uninstall'))('%s', async (first, text = '') => {
      if (first.startsWith('kubectl delete -f deploy/crds/')) kept = await uids()
      await expect(reader.follow(text)).resolves.toHaveProperty('code', 0)
    })

    it('keeps policies and moves up to the last step', () => expect(kept).toBe(uid))

    it('leaves nothing but volumes on their tiers', async () => {
      const all = ['crd,clusterrole,clusterrolebinding,validatingadmissionpolicy,namespace']
      const names = (await kubectl(['get', ...all, '-o', 'name'])).split('\n')
      expect(names.filter((n) => /couchestor(?!-lab)/.test(n))).toEqual([])
      const claims = ['pvc', MOVED, 'my-claim', '-o', 'jsonpath={.items[*].status.phase}']
      expect(await kubectl(['get', ...claims])).toBe('Bound Bound')
    })
  })
})
